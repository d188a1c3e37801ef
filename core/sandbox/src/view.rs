//! The parts of the system that every command may see.

/// Trees that may be read and executed from.
pub(crate) const SYSTEM: [&str; 12] = [
    "/bin", "/gnu/store", "/lib", "/lib32", "/lib64", "/libx32", "/nix/store", "/opt", "/run/current-system", "/sbin",
    "/sys/devices/system/cpu", "/usr",
];

/// What may be read below /etc: what loaders, the C library, shells and certificate checks need. Not there:
/// password hashes, host keys, sudo rules, and the configuration of daemons, which may hold secrets.
pub(crate) const ETC: [&str; 46] = [
    "alternatives", "bash.bashrc", "bash_completion.d", "ca-certificates", "ca-certificates.conf", "crypto-policies",
    "debian_version", "default/locale", "environment", "fonts", "gai.conf", "group", "host.conf", "hostname", "hosts",
    "inputrc", "java-11-openjdk", "java-17-openjdk", "java-21-openjdk", "ld.so.cache", "ld.so.conf", "ld.so.conf.d",
    "lsb-release", "locale.alias", "locale.conf", "localtime", "magic", "mailcap", "mime.types", "nsswitch.conf",
    "os-release", "passwd", "perl", "pki/ca-trust", "pki/tls/certs", "profile", "protocols", "python3", "resolv.conf",
    "rpc", "services", "shells", "ssl/certs", "ssl/openssl.cnf", "terminfo", "timezone",
];

/// Devices that may be read and written.
pub(crate) const DEVICES: [&str; 5] = ["/dev/full", "/dev/null", "/dev/random", "/dev/urandom", "/dev/zero"];
