//! Effects by an open file, a socket pair or a mode: what rules about paths and ports do not see.

use std::ffi::CString;
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use crate::{Attempt, malformed};

/// `FS_IOC_GETFLAGS` and `FS_IOC_SETFLAGS` of `<linux/fs.h>`, and the flag of a file that backups leave out.
const GETFLAGS: libc::Ioctl = 0x8008_6601;
const SETFLAGS: libc::Ioctl = 0x4008_6602;
const NO_DUMP: libc::c_int = 0x40;
/// `FS_IOC_FSSETXATTR`, and the length of its structure.
const FSSETXATTR: libc::Ioctl = 0x401c_5820;
const XATTR_LENGTH: usize = 28;
/// `FS_IOC_ENABLE_VERITY`, and the length of its structure.
const ENABLE_VERITY: libc::Ioctl = 0x4080_6685;
const VERITY_LENGTH: usize = 128;

pub fn attempt(words: &[&str]) -> Attempt {
    match words {
        ["datagram", path] => datagram(path),
        ["listen", family] => listen(family.parse().map_err(|_| malformed())?, 0),
        ["listen", family, protocol] => {
            listen(family.parse().map_err(|_| malformed())?, protocol.parse().map_err(|_| malformed())?)
        }
        ["flags", path] => {
            let mut flags: libc::c_int = 0;
            let file = File::open(path)?;
            // SAFETY: the descriptor is open, and the request writes one int.
            checked(unsafe { libc::ioctl(file.as_raw_fd(), GETFLAGS, &raw mut flags) })?;
            request(path, SETFLAGS, &(flags | NO_DUMP).to_ne_bytes())
        }
        // The flag for backups of this request (FS_XFLAG_NODUMP).
        ["xflags", path] => {
            let mut attributes = [0; XATTR_LENGTH];
            attributes[0] = 0x80;
            request(path, FSSETXATTR, &attributes)
        }
        ["verity", path] => {
            // Version 1, SHA-256, blocks of 4096 bytes.
            let mut argument = [0; VERITY_LENGTH];
            (argument[0], argument[4]) = (1, 1);
            argument[8..12].copy_from_slice(&4096_u32.to_ne_bytes());
            request(path, ENABLE_VERITY, &argument)
        }
        ["lease", path] => {
            let file = File::open(path)?;
            // SAFETY: the descriptor is open.
            checked(unsafe { libc::fcntl(file.as_raw_fd(), libc::F_SETLEASE, libc::F_RDLCK) })
        }
        ["fchmod", path, mode] => {
            let file = File::open(path)?;
            // SAFETY: the descriptor is open.
            checked(unsafe { libc::fchmod(file.as_raw_fd(), octal(mode)?) })
        }
        ["chmod", path, mode] => {
            let path = c_string(path)?;
            // SAFETY: the path is a C string.
            checked(unsafe { libc::chmod(path.as_ptr(), octal(mode)?) })
        }
        ["create", path, mode] => created(path, libc::O_CREAT | libc::O_WRONLY, octal(mode)?),
        ["nameless", folder, path, mode] => {
            let made = created(folder, libc::O_TMPFILE | libc::O_RDWR, octal(mode)?)?;
            named(made, path)
        }
        ["node", path, mode] => {
            let path = c_string(path)?;
            // SAFETY: the path is a C string.
            checked(unsafe { libc::mknod(path.as_ptr(), libc::S_IFREG | octal(mode)?, 0) })
        }
        ["times", path] => {
            let file = File::open(path)?;
            // SAFETY: the descriptor is open; no times means now.
            checked(unsafe { libc::futimens(file.as_raw_fd(), std::ptr::null()) })
        }
        ["attribute", path] => {
            let file = File::open(path)?;
            // SAFETY: the descriptor is open, and the value as long as is said.
            checked(unsafe {
                libc::fsetxattr(file.as_raw_fd(), c"user.canary".as_ptr(), c"x".as_ptr().cast(), 1, 0)
            })
        }
        ["allocate", path] => {
            let file = File::open(path)?;
            // SAFETY: the descriptor is open.
            checked(unsafe { libc::fallocate(file.as_raw_fd(), 0, 0, 1 << 16) })
        }
        _ => Err(malformed()),
    }
}

fn checked(result: libc::c_int) -> Attempt {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(None) }
}

fn c_string(text: &str) -> io::Result<CString> {
    CString::new(text).map_err(|_| malformed())
}

fn octal(mode: &str) -> io::Result<libc::mode_t> {
    libc::mode_t::from_str_radix(mode, 8).map_err(|_| malformed())
}

/// Sends to a socket in the file system from one end of a pair.
fn datagram(path: &str) -> Attempt {
    let mut pair = [0; 2];
    // SAFETY: there is room for two descriptors.
    checked(unsafe { libc::socketpair(libc::AF_UNIX, libc::SOCK_DGRAM, 0, pair.as_mut_ptr()) })?;
    // SAFETY: both were opened just now, and nobody else has them.
    let (one, _other) = unsafe { (OwnedFd::from_raw_fd(pair[0]), OwnedFd::from_raw_fd(pair[1])) };
    // SAFETY: all zeros is an address without a path.
    let mut address: libc::sockaddr_un = unsafe { std::mem::zeroed() };
    address.sun_family = libc::AF_UNIX as libc::sa_family_t;
    for (to, from) in address.sun_path.iter_mut().zip(path.as_bytes()) {
        *to = *from as libc::c_char;
    }
    // SAFETY: message and address are as long as is said.
    let sent = unsafe {
        libc::sendto(
            one.as_raw_fd(),
            c"probe".as_ptr().cast(),
            5,
            0,
            (&raw const address).cast(),
            size_of::<libc::sockaddr_un>() as libc::socklen_t,
        )
    };
    checked(sent as libc::c_int)
}

/// Listens without having asked for a port.
fn listen(family: libc::c_int, protocol: libc::c_int) -> Attempt {
    // SAFETY: no pointers.
    let socket = unsafe { libc::socket(family, libc::SOCK_STREAM, protocol) };
    checked(socket)?;
    // SAFETY: it was opened just now, and nobody else has it.
    let socket = unsafe { OwnedFd::from_raw_fd(socket) };
    // SAFETY: the descriptor is open.
    checked(unsafe { libc::listen(socket.as_raw_fd(), 1) })
}

fn request(path: &str, request: libc::Ioctl, argument: &[u8]) -> Attempt {
    let file = File::open(path)?;
    // SAFETY: the descriptor is open, and the argument as long as the request reads.
    checked(unsafe { libc::ioctl(file.as_raw_fd(), request, argument.as_ptr()) })
}

/// The descriptor of a new file.
fn created(path: &str, flags: libc::c_int, mode: libc::mode_t) -> Attempt {
    let path = c_string(path)?;
    // SAFETY: the mask is the process's own, which has one thread; the path is a C string.
    let descriptor = unsafe {
        libc::umask(0);
        libc::open(path.as_ptr(), flags, mode)
    };
    checked(descriptor)?;
    Ok(Some(descriptor.into()))
}

/// Gives a file without a name one.
fn named(made: Option<i64>, path: &str) -> Attempt {
    let from = c_string(&format!("/proc/self/fd/{}", made.unwrap_or(-1)))?;
    let path = c_string(path)?;
    // SAFETY: both are C strings.
    checked(unsafe {
        libc::linkat(libc::AT_FDCWD, from.as_ptr(), libc::AT_FDCWD, path.as_ptr(), libc::AT_SYMLINK_FOLLOW)
    })
}
