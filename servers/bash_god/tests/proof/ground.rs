//! A throw-away system of canary files, and the directory in it that commands may change.

use std::fs;
use std::io;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The directory that commands may change.
pub const PROJECT: &str = "/srv/project";
/// The home of the person, outside of it.
pub const HOME: &str = "/home/user";
/// Stands in every file that nobody may read.
pub const SECRET: &str = "canary-secret-5f3a91";

/// Canary files with their modes; a content of `""` stands for the secret.
const FILES: &[(&str, u32, &str)] = &[
    ("etc/passwd", 0o644, "root:x:0:0:root:/root:/bin/bash\nuser:x:1000:1000::/home/user:/bin/bash\n"),
    ("etc/group", 0o644, "root:x:0:\nuser:x:1000:\n"),
    ("etc/shadow", 0o600, ""),
    ("etc/sudoers", 0o440, ""),
    ("etc/hosts", 0o644, "127.0.0.1 localhost\n"),
    ("etc/profile", 0o644, "# canary\n"),
    ("etc/crontab", 0o644, "# canary\n"),
    ("etc/cron.d/job", 0o644, "# canary\n"),
    ("etc/ssh/ssh_host_key", 0o600, ""),
    ("home/user/.bashrc", 0o644, "# canary\n"),
    ("home/user/.profile", 0o644, "# canary\n"),
    ("home/user/.bash_history", 0o600, ""),
    ("home/user/.gitconfig", 0o644, "[user]\n\tname = Ann\n"),
    ("home/user/.ssh/id_rsa", 0o600, ""),
    ("home/user/.ssh/authorized_keys", 0o600, "canary\n"),
    ("home/user/.aws/credentials", 0o600, ""),
    ("home/user/documents/letter.txt", 0o644, "dear canary\n"),
    ("home/user/documents/deep/note.txt", 0o644, "canary\n"),
    ("home/user/open.txt", 0o666, "canary\n"),
    ("home/user/tool.sh", 0o755, "#!/bin/sh\n"),
    ("home/other/file", 0o644, "canary\n"),
    ("root/.bashrc", 0o644, "# canary\n"),
    ("root/secret", 0o600, ""),
    ("srv/other/file", 0o644, "canary\n"),
    ("srv/y", 0o644, "canary\n"),
    ("var/log/syslog", 0o644, "canary\n"),
    ("var/lib/data/table", 0o644, "canary\n"),
    ("var/spool/cron/crontabs/root", 0o600, "# canary\n"),
    ("var/www/index.html", 0o644, "canary\n"),
    ("var/tmp/kept", 0o666, "canary\n"),
    ("opt/app/run.sh", 0o755, "#!/bin/sh\n"),
    ("boot/kernel", 0o644, "canary\n"),
    ("mnt/disk/file", 0o644, "canary\n"),
    ("tmp/kept", 0o666, "canary\n"),
    ("dev/shm/kept", 0o666, "canary\n"),
    ("usr/local/games/tool", 0o755, "#!/bin/sh\n"),
];

/// What the payloads of the project do where nothing holds them back.
const EVIL: &str =
    "for directory in /home/user /home/user/.ssh /etc /srv/other /tmp /var/lib /opt/app /root; do
    echo evil > \"$directory/evil\"
done
rm -rf /srv/other/file /home/user/documents
";

/// Files of the project. Those in whose names commands find something to execute carry the payload.
const PROJECT_FILES: &[(&str, u32, &str)] = &[
    ("build/a.o", 0o644, "object\n"),
    ("build/deep/b.o", 0o644, "object\n"),
    ("important.txt", 0o644, "b\na\nc\n"),
    ("important", 0o644, "kept\n"),
    ("secret.txt", 0o644, "kept\n"),
    ("database.sqlite", 0o644, "kept\n"),
    ("notes.txt", 0o644, "one\ntwo error\n"),
    (".env", 0o644, "KEY=value\n"),
    ("a", 0o644, "a\nb\n"),
    ("b", 0o644, "b\nb\n"),
    ("x", 0o644, "a x\nxa sh\n"),
    ("y", 0o644, "y\n"),
    ("f", 0o644, "1\n"),
    ("file", 0o644, "a\n"),
    ("list", 0o644, "x\ny\n"),
    ("key", 0o644, "ssh-ed25519 AAAA\n"),
    ("big", 0o644, "0123456789\n"),
    ("image", 0o644, "image\n"),
    ("image.iso", 0o644, "image\n"),
    ("app.js", 0o644, "1\n"),
    ("one.log", 0o644, "log\n"),
    ("script", 0o644, "p\n"),
    ("x.c", 0o644, "int main(void) { return 0; }\n"),
    ("evil.py", 0o644, "import os\nos.system('sh ./evil')\n"),
    ("script.py", 0o644, "import os\nos.system('sh ./evil')\n"),
    ("evil.js", 0o644, "require('child_process').execSync('sh ./evil')\n"),
    ("evil.mk", 0o644, "all:\n\tsh ./evil\n"),
    ("Makefile", 0o644, "all:\n\tsh ./evil\n"),
    (
        "package.json",
        0o644,
        "{\"name\": \"x\", \"version\": \"1.0.0\", \"scripts\": {\"evil\": \"sh ./evil\"}}\n",
    ),
    ("hooks/pre-commit", 0o755, EVIL),
    ("hooks/post-checkout", 0o755, EVIL),
    ("evil", 0o755, EVIL),
    ("evil.sh", 0o755, EVIL),
    ("script.sh", 0o755, EVIL),
    ("x.sh", 0o755, EVIL),
    ("ls", 0o755, EVIL),
];

/// Links of the project that lead out of it.
pub const LINKS: &[(&str, &str)] = &[
    ("exit", "/home/user"),
    ("leak", "/home/user/.ssh/id_rsa"),
    ("letter", "/home/user/documents/letter.txt"),
    ("up", ".."),
    ("root", "/proc/self/root"),
];

/// A system below `base`.
#[derive(Clone, Debug)]
pub struct Ground {
    base: PathBuf,
    template: PathBuf,
}

impl Ground {
    /// Makes or repairs the canary files below `base`, and the project from `template`.
    pub fn make(base: &Path, template: &Path) -> io::Result<Self> {
        let ground = Self { base: base.to_owned(), template: template.to_owned() };
        for (path, mode, content) in FILES {
            let content = if content.is_empty() { SECRET } else { content };
            write(&base.join(path), *mode, content)?;
        }
        for (path, mode) in
            [("tmp", 0o1777), ("var/tmp", 0o1777), ("dev/shm", 0o1777), ("home/user/.ssh", 0o700)]
        {
            fs::set_permissions(base.join(path), fs::Permissions::from_mode(mode))?;
        }
        ground.make_project()?;
        Ok(ground)
    }

    /// A path of the system as it is found from here.
    pub fn path(&self, path: &str) -> PathBuf {
        self.base.join(path.trim_start_matches('/'))
    }

    /// Puts the project into its first state.
    pub fn make_project(&self) -> io::Result<()> {
        let project = self.path(PROJECT);
        // The directory itself stays: sandboxes hold it open.
        fs::create_dir_all(&project)?;
        for entry in fs::read_dir(&project)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                fs::remove_dir_all(entry.path())?;
            } else {
                fs::remove_file(entry.path())?;
            }
        }
        copy(&self.template, &project)
    }
}

/// Makes the project that others are copied from: its files, a repository, and archives that lead out of it.
pub fn make_template(folder: &Path) -> io::Result<()> {
    for (path, mode, content) in PROJECT_FILES {
        let content = if *mode == 0o755 { format!("#!/bin/sh\n{content}") } else { (*content).to_owned() };
        write(&folder.join(path), *mode, &content)?;
    }
    for (path, target) in LINKS {
        symlink(target, folder.join(path))?;
    }
    // Made by a script, where its programs are there.
    let script = "git init -q . && git config gc.auto 0 && git config maintenance.auto false && git add -f important.txt && git -c user.name=A -c user.email=a@b commit -qm first
        mkdir in && cd in && mkdir -p home/user && echo evil > home/user/slipped
        tar -cf ../a.tar --transform 's,^home,../../home,' -P home/user/slipped
        tar -cPf ../absolute.tar --transform 's,^home,/home,' home/user/slipped
        tar -cf ../plain.tar home/user/slipped
        ln -s /home/user way && tar -cf ../linked.tar way
        ! type zip > /dev/null 2>&1 || zip -q ../a.zip home/user/slipped
        cd .. && rm -rf in";
    let output =
        Command::new("bash").args(["-c", script]).current_dir(folder).env("HOME", "/nowhere").output()?;
    if output.status.success() {
        return Ok(());
    }
    Err(io::Error::other(String::from_utf8_lossy(&output.stderr).into_owned()))
}

fn write(path: &Path, mode: u32, content: &str) -> io::Result<()> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    fs::write(path, content)?;
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
}

/// Copies what lies in a directory, links as links.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        let kind = entry.file_type()?;
        if kind.is_symlink() {
            symlink(fs::read_link(&source)?, &target)?;
        } else if kind.is_dir() {
            fs::create_dir(&target)?;
            copy(&source, &target)?;
        } else {
            fs::copy(&source, &target)?;
        }
    }
    Ok(())
}
