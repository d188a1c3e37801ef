//! Tries things inside the sandbox and says what came of each: the attacker of the tests.
//!
//! Each argument is one attempt, its words separated by `|`; for each a line is written: `ok`, `ok NUMBER` or
//! `error ERRNO`. The last attempts in the list of [`attempt`] do not come back.
#![expect(unsafe_code, reason = "raw system calls are what is tried")]

#[cfg(target_arch = "x86_64")]
mod fuzz;
mod holes;

use std::ffi::CString;
use std::fs;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::{SocketAddr as UnixAddress, UnixListener, UnixStream};
use std::process::Command;
use std::time::Duration;

fn main() {
    let mut out = io::stdout();
    for argument in std::env::args().skip(1) {
        let words: Vec<&str> = argument.split('|').collect();
        let line = match attempt(&words) {
            Ok(None) => "ok".to_owned(),
            Ok(Some(number)) => format!("ok {number}"),
            Err(error) => format!("error {}", error.raw_os_error().unwrap_or(-1)),
        };
        let _ = writeln!(out, "{line}");
        let _ = out.flush();
    }
}

type Attempt = io::Result<Option<i64>>;

fn done<T>(result: io::Result<T>) -> Attempt {
    result.map(|_| None)
}

fn malformed() -> io::Error {
    io::Error::from_raw_os_error(libc::ENOTSUP)
}

fn attempt(words: &[&str]) -> Attempt {
    match words {
        ["read", path] => done(fs::read(path)),
        ["list", path] => done(fs::read_dir(path)),
        ["write", path] => done(fs::write(path, "probe")),
        ["append", path] => {
            done(fs::OpenOptions::new().append(true).open(path).and_then(|mut file| file.write(b"p")))
        }
        ["truncate", path] => call(libc::SYS_truncate, &[Value::Text(path), Value::Number(0)]),
        ["unlink", path] => done(fs::remove_file(path)),
        ["rmdir", path] => done(fs::remove_dir(path)),
        ["mkdir", path] => done(fs::create_dir(path)),
        ["rename", from, to] => done(fs::rename(from, to)),
        ["link", from, to] => done(fs::hard_link(from, to)),
        ["symlink", target, path] => done(symlink(target, path)),
        ["chmod", path] => done(fs::set_permissions(path, fs::Permissions::from_mode(0o777))),
        ["touch", path] => touch(path),
        ["chdir", path] => done(std::env::set_current_dir(path)),
        ["exec", path] => done(Command::new(path).status()),
        ["fifo", path] => call(
            libc::SYS_mknodat,
            &[
                Value::Number(i64::from(libc::AT_FDCWD)),
                Value::Text(path),
                Value::Number(i64::from(libc::S_IFIFO | 0o600)),
            ],
        ),
        ["connect", address] => done(TcpStream::connect_timeout(&parsed(address)?, Duration::from_secs(5))),
        ["bind", address] => done(TcpListener::bind(parsed(address)?)),
        ["udp", address] => {
            done(UdpSocket::bind("127.0.0.1:0").and_then(|socket| socket.send_to(b"p", parsed(address)?)))
        }
        ["unix", path] => done(UnixStream::connect(path)),
        ["unix-bind", path] => done(UnixListener::bind(path)),
        ["abstract", name] => {
            done(UnixAddress::from_abstract_name(name).and_then(|address| UnixStream::connect_addr(&address)))
        }
        ["pair"] => done(UnixStream::pair()),
        ["call", number, arguments @ ..] => {
            let number = number.parse().map_err(|_| malformed())?;
            let values: Vec<Value<'_>> = arguments.iter().map(|word| Value::from(*word)).collect();
            call(number, &values)
        }
        ["hole", rest @ ..] => holes::attempt(rest),
        #[cfg(target_arch = "x86_64")]
        ["fuzz", rest @ ..] => fuzz::fuzz(rest),
        ["int80"] => int80(),
        ["tty"] => done(fs::File::open("/dev/tty")),
        _ => stay(words),
    }
}

/// Attempts that go on.
fn stay(words: &[&str]) -> Attempt {
    match words {
        // The word after is there to be found in the list of processes.
        ["hold", _marker] => loop {
            std::thread::sleep(Duration::from_secs(3600));
        },
        ["child", marker] => done(holding(marker).spawn()),
        ["daemon", marker] => daemon(marker),
        ["fork-forever", _marker] => loop {
            // SAFETY: the process has one thread and the child does the same as its parent.
            unsafe { libc::fork() };
        },
        ["fork-count"] => fork_count(),
        ["burn"] => loop {
            std::hint::spin_loop();
        },
        ["ignore-signals"] => {
            for signal in [libc::SIGTERM, libc::SIGINT, libc::SIGHUP, libc::SIGXCPU] {
                // SAFETY: SIG_IGN installs no handler.
                unsafe { libc::signal(signal, libc::SIG_IGN) };
            }
            Ok(None)
        }
        ["spew", count] => spew(count.parse().map_err(|_| malformed())?),
        ["allocate", bytes] => {
            let length: usize = bytes.parse().map_err(|_| malformed())?;
            let mut memory: Vec<u8> = Vec::new();
            memory.try_reserve_exact(length).map_err(|_| io::Error::from_raw_os_error(libc::ENOMEM))?;
            Ok(None)
        }
        ["input"] => {
            let mut text = Vec::new();
            io::stdin().read_to_end(&mut text)?;
            Ok(Some(text.len().try_into().unwrap_or(-1)))
        }
        _ => Err(malformed()),
    }
}

fn holding(marker: &str) -> Command {
    let mut command = Command::new("/proc/self/exe");
    command.arg(format!("hold|{marker}"));
    command
}

/// Two forks and a session of its own: what a daemon does to lose its parent.
fn daemon(marker: &str) -> Attempt {
    // SAFETY: the process has one thread; the child only calls what a child of a fork may.
    unsafe {
        if libc::fork() == 0 {
            libc::setsid();
            if libc::fork() == 0 {
                let _ = holding(marker).spawn();
            }
            libc::_exit(0);
        }
    }
    // The daemon is up when its parents are gone.
    std::thread::sleep(Duration::from_millis(50));
    Ok(None)
}

/// How many children can be had at a time; ends them again.
fn fork_count() -> Attempt {
    let mut count = 0;
    // SAFETY: the process has one thread; each child only waits for its end.
    unsafe {
        while count < 5000 {
            match libc::fork() {
                0 => loop {
                    libc::pause();
                },
                failed if failed < 0 => break,
                _ => count += 1,
            }
        }
    }
    Ok(Some(count))
}

fn spew(count: u64) -> Attempt {
    let block = vec![b'x'; 1 << 16];
    let mut out = io::stdout();
    let mut left = count;
    while left > 0 {
        let part = left.min(block.len() as u64);
        out.write_all(&block[..usize::try_from(part).unwrap_or(block.len())])?;
        left -= part;
    }
    Ok(None)
}

fn parsed(address: &str) -> io::Result<SocketAddr> {
    address.parse().map_err(|_| malformed())
}

fn touch(path: &str) -> Attempt {
    let path = CString::new(path).map_err(|_| malformed())?;
    // SAFETY: the path is a C string; no times means now.
    match unsafe { libc::utimensat(libc::AT_FDCWD, path.as_ptr(), std::ptr::null(), 0) } {
        0 => Ok(None),
        _ => Err(io::Error::last_os_error()),
    }
}

/// An argument of a system call.
enum Value<'a> {
    Number(i64),
    Text(&'a str),
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(word: &'a str) -> Self {
        word.parse().map_or(Self::Text(word), Self::Number)
    }
}

fn call(number: libc::c_long, values: &[Value<'_>]) -> Attempt {
    let texts: Vec<Option<CString>> = values
        .iter()
        .map(|value| match value {
            Value::Number(_) => Ok(None),
            Value::Text(text) => CString::new(*text).map(Some).map_err(|_| malformed()),
        })
        .collect::<Result<_, _>>()?;
    let mut words = [0_i64; 6];
    for ((word, value), text) in words.iter_mut().zip(values).zip(&texts) {
        *word = match (value, text) {
            (Value::Number(number), _) => *number,
            (_, Some(text)) => text.as_ptr() as i64,
            (_, None) => 0,
        };
    }
    let [a, b, c, d, e, f] = words;
    // SAFETY: pointers among the arguments are to C strings that live through the call, or null; calls that would
    // write through others are not given here.
    let result = unsafe { libc::syscall(number, a, b, c, d, e, f) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(Some(result)) }
}

/// `getpid` by the 32-bit door.
#[cfg(target_arch = "x86_64")]
fn int80() -> Attempt {
    let result: i64;
    // SAFETY: the call takes no arguments and writes no memory; the registers it may change are named.
    unsafe {
        std::arch::asm!("int 0x80", inlateout("rax") 20_i64 => result, out("r8") _, out("r9") _, out("r10") _, out("r11") _);
    }
    Ok(Some(result))
}

#[cfg(not(target_arch = "x86_64"))]
fn int80() -> Attempt {
    Err(malformed())
}
