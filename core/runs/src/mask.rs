//! Takes secrets out of command lines.
//!
//! Two kinds of rules: where a secret stands (`--password x`, `user:secret@host`, `TOKEN=x`, an
//! `Authorization` header), and what one looks like (keys with a known beginning, JSON web tokens, private
//! keys). A rule takes too much rather than too little: a masked word can be typed again.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::{Captures, Regex};

/// What stands where a secret was.
pub const MASK: &str = "***";

/// Names of options and variables that hold a secret.
const NAMES: &str = r"(?:[a-z0-9_.-]*[_.-])?(?:pass(?:word|wd|phrase|code)?|pwd|secrets?|tokens?|api[_.-]?keys?|apikey|access[_.-]?keys?(?:[_.-]?id)?|secret[_.-]?(?:access[_.-]?)?keys?|private[_.-]?keys?|auth(?:[_.-]?key)?|bearer|credentials?|client[_.-]?secret|session[_.-]?(?:key|token)|pat|pgpassword|mysql_pwd|sshpass|accountkey|sig(?:nature)?)";

/// A value: quoted, or up to the next blank or operator of the shell, with quoted parts in between. A quote
/// that a blank follows is one that was open before.
const VALUE: &str = r#"(?:(?:"(?:[^"\\]|\\.)*"?|'[^']*'?)(?:[^\s'"|;&<>()\\{}\[\],]|\\.)*|(?:[^\s'"|;&<>()\\]|\\.)(?:[^\s'"|;&<>()\\]|\\.|'[^'\s][^']*'|"[^"\s][^"]*")*)"#;

/// Pairs of a pattern and what takes its place; `$keep` is what stays before the secret, `$after` what stays
/// behind it.
static RULES: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    let patterns = [
        // Whole blocks.
        r"(?s)(?<keep>)-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----.*?(?:-----END [A-Z0-9 ]*PRIVATE KEY-----|\z)".to_owned(),
        // Headers. The scheme of an Authorization header stays, what follows it goes to the end of the quote.
        r#"(?i)(?<keep>(?:proxy-)?authorization\s*[:=]\s*(?:(?:bearer|basic|digest|token|negotiate|apikey|aws4-hmac-sha256)\s+)?)(?:[^\s"'][^"'\n]*)"#.to_owned(),
        r#"(?i)(?<keep>\b(?:x-[a-z0-9-]*(?:key|token|secret|auth|password)[a-z0-9-]*|(?:set-)?cookie|private-token|api-key)\s*:\s*)(?:[^\s"'][^"'\n]*)"#.to_owned(),
        r#"(?i)(?<keep>\bbearer\s+)[a-z0-9._~+/=-]{8,}"#.to_owned(),
        // A password in a URL, and credentials alone.
        r#"(?i)(?<keep>\b[a-z][a-z0-9+.-]*://[^\s/@:'"]*:)(?:[^\s/'"]*)(?<after>@)"#.to_owned(),
        r#"(?i)(?<keep>\b[a-z][a-z0-9+.-]*://)(?:[a-z0-9_~.-]{20,})(?<after>@)"#.to_owned(),
        r#"(?i)(?<keep>hooks\.slack\.com/(?:services|workflows)/|discord(?:app)?\.com/api/webhooks/|api\.telegram\.org/bot)[^\s'"]+"#.to_owned(),
        // Options: `--password x`, `--api-key=x`.
        format!(r"(?i)(?<keep>(?:^|[\s'\x22(])--?{NAMES}(?:=|\s+))(?:{VALUE})"),
        // Assignments and fields: `TOKEN=x`, `password: x` in JSON or YAML, `?token=x` in an address.
        format!(r#"(?i)(?<keep>(?:^|[\s'"?&;,{{(:/]){NAMES}\\?["']?\s?[=:]\s?)(?:\\"(?:[^"\\]|\\[^"])*\\"|{VALUE})"#),
        // Programs with an option of one letter that is a password.
        format!(r"(?<keep>\b(?:curl|wget|http|https)\b[^|;&\n]*?\s(?:-u|--user|--proxy-user|-U)[=\s]*['\x22]?[^\s:'\x22]+:){VALUE}"),
        format!(r"(?<keep>\b(?:mysql|mysqldump|mysqladmin|mariadb|mariadb-dump)\b[^|;&\n]*?\s-p){VALUE}"),
        format!(r"(?<keep>\bsshpass\s+-p\s*){VALUE}"),
        format!(r"(?<keep>\b(?:redis-cli)\b[^|;&\n]*?\s-a\s+){VALUE}"),
        format!(r"(?<keep>\b(?:docker|podman|helm|az|oc|npm)\b[^|;&\n]*?\blogin\b[^|;&\n]*?\s-p[=\s]*){VALUE}"),
        format!(r"(?<keep>\b(?:zip|unzip|7z|7za|unrar|rar)\b[^|;&\n]*?\s-P\s+){VALUE}"),
        format!(r"(?<keep>\b(?:7z|7za|unrar|rar)\s[^|;&\n]*?\s-p){VALUE}"),
        r"(?<keep>\bopenssl\b[^|;&\n]*?\bpass:)[^\s'\x22]+".to_owned(),
        format!(r"(?<keep>\b(?:chpasswd|htpasswd)\b[^|;&\n]*?\s-b\w*\s+\S+\s+\S+\s+){VALUE}"),
        format!(r"(?<keep>\becho\s+(?:-n\s+)?){VALUE}(?<after>\s*\|\s*(?:sudo\s+-S|passwd|[^|]*--password-stdin|cryptsetup))"),
        // What secrets look like, wherever they stand.
        r"(?<keep>)\b(?:AKIA|ASIA|AGPA|AIDA|AROA|ANPA|ABIA|ACCA)[A-Z0-9]{12,}\b".to_owned(),
        r"(?<keep>)\b(?:gh[pousr]_[A-Za-z0-9]{16,}|github_pat_[A-Za-z0-9_]{20,}|glpat-[A-Za-z0-9_-]{16,}|npm_[A-Za-z0-9]{20,}|pypi-[A-Za-z0-9_-]{20,}|xox[abeoprs]-[A-Za-z0-9-]{10,}|xapp-[A-Za-z0-9-]{10,}|[sr]k_(?:live|test)_[A-Za-z0-9]{10,}|sk-[A-Za-z0-9_-]{16,}|AIza[A-Za-z0-9_-]{30,}|ya29\.[A-Za-z0-9_-]{20,}|hf_[A-Za-z0-9]{20,}|dop_v1_[a-f0-9]{32,}|SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}|hvs\.[A-Za-z0-9_-]{20,}|crates?io?_?[A-Za-z0-9]{32,}|cio[A-Za-z0-9]{32})\b".to_owned(),
        r"(?<keep>)\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{4,}(?:\.[A-Za-z0-9_-]*)?".to_owned(),
    ];
    patterns.iter().map(|pattern| Regex::new(pattern).expect("the rules are compiled in a test")).collect()
});

/// `line` with [`MASK`] in place of every secret that a rule knows. What is masked already stays as it is.
#[must_use]
pub fn masked(line: &str) -> String {
    let mut line = Cow::Borrowed(line);
    for rule in RULES.iter() {
        if let Cow::Owned(changed) = rule.replace_all(&line, replaced) {
            line = Cow::Owned(changed);
        }
    }
    line.into_owned()
}

fn replaced(found: &Captures<'_>) -> String {
    let part = |name| found.name(name).map_or("", |part| part.as_str());
    let (keep, after) = (part("keep"), part("after"));
    let secret = &found[0][keep.len()..found[0].len() - after.len()];
    // A reference to a variable or a command gives nothing away, and a mask stays one.
    let bare = secret.trim_matches(['"', '\'']);
    let names_only =
        bare.starts_with('$') && bare[1..].chars().all(|c| c.is_alphanumeric() || "_{}".contains(c));
    // Behind a mask there may be the end of a list or of a field.
    let is_mask = bare.strip_prefix(MASK).is_some_and(|rest| rest.chars().all(|c| "}],".contains(c)));
    if names_only || is_mask {
        return found[0].to_owned();
    }
    // A quote that was open before the secret, or opens with it, is closed again.
    let quote = secret.chars().next_back().filter(|end| "\"'".contains(*end));
    let opens = secret.starts_with(['"', '\'']);
    let tail = quote.filter(|_| !opens).map(String::from).unwrap_or_default();
    format!("{keep}{MASK}{tail}{after}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn secrets_are_masked() {
        for (line, expected) in [
            ("git clone https://me:hunter2@example.org/x.git", "git clone https://me:***@example.org/x.git"),
            ("curl https://user:p%40ss:w@h/x", "curl https://user:***@h/x"),
            ("psql postgres://app:s3cret@db:5432/app", "psql postgres://app:***@db:5432/app"),
            ("tool --password hunter2 -v", "tool --password *** -v"),
            ("tool --password=hunter2 -v", "tool --password=*** -v"),
            ("tool --password 'two words' -v", "tool --password *** -v"),
            ("tool --password=\"a \\\" b\" -v", "tool --password=*** -v"),
            ("tool --db-password x", "tool --db-password ***"),
            ("tool --api-key abc --token=def", "tool --api-key *** --token=***"),
            ("tool --client-secret abc", "tool --client-secret ***"),
            ("AWS_SECRET_ACCESS_KEY=abc/def+ghi aws s3 ls", "AWS_SECRET_ACCESS_KEY=*** aws s3 ls"),
            ("export AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE", "export AWS_ACCESS_KEY_ID=***"),
            ("echo AKIAIOSFODNN7EXAMPLE", "echo ***"),
            ("PGPASSWORD=x psql", "PGPASSWORD=*** psql"),
            ("export GITHUB_TOKEN='abc def'", "export GITHUB_TOKEN=***"),
            ("MY_PASSWD=x;ls", "MY_PASSWD=***;ls"),
            (
                "curl -H 'Authorization: Bearer abc.def' https://h",
                "curl -H 'Authorization: Bearer ***' https://h",
            ),
            ("curl -H \"Authorization: Basic dXNlcjpw\" h", "curl -H \"Authorization: Basic ***\" h"),
            ("curl -H 'authorization: sometoken' h", "curl -H 'authorization: ***' h"),
            ("curl -H 'X-Api-Key: abc' h", "curl -H 'X-Api-Key: ***' h"),
            ("curl -H 'PRIVATE-TOKEN: abc' h", "curl -H 'PRIVATE-TOKEN: ***' h"),
            ("curl -H 'Cookie: session=abc; a=b' h", "curl -H 'Cookie: ***' h"),
            ("curl -u me:hunter2 https://h", "curl -u me:*** https://h"),
            ("curl -sS --user 'me:hunter2' https://h", "curl -sS --user 'me:***' https://h"),
            ("curl 'https://h/x?a=1&token=abc&b=2'", "curl 'https://h/x?a=1&token=***&b=2'"),
            ("curl -d '{\"password\": \"x y\"}' h", "curl -d '{\"password\": ***}' h"),
            ("mysql -u root -phunter2 db", "mysql -u root -p*** db"),
            ("sshpass -p hunter2 ssh h", "sshpass -p *** ssh h"),
            ("redis-cli -h h -a hunter2 ping", "redis-cli -h h -a *** ping"),
            ("docker login -u me -p hunter2 r.io", "docker login -u me -p *** r.io"),
            ("zip -P hunter2 a.zip a", "zip -P *** a.zip a"),
            ("openssl enc -pass pass:hunter2 -in a", "openssl enc -pass *** -in a"),
            ("openssl rsa -passin pass:hunter2 -in a", "openssl rsa -passin pass:*** -in a"),
            ("tool --password ab'c d'ef -v", "tool --password *** -v"),
            ("tool --password 'c d'ef -v", "tool --password *** -v"),
            ("curl -H 'x: token=abc' -d 'y z' h", "curl -H 'x: token=***' -d 'y z' h"),
            ("echo hunter2 | sudo -S ls", "echo *** | sudo -S ls"),
            ("echo 'hunter2' | docker login --password-stdin", "echo *** | docker login --password-stdin"),
            ("gh auth login ghp_abcdefghijklmnopqrstuvwxyz0123456789", "gh auth login ***"),
            ("x sk-abcdefghijklmnopqrstuvwx y", "x *** y"),
            ("x xoxb-1234567890-abcdef", "x ***"),
            ("x eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc-def", "x ***"),
            (
                "curl -X POST https://hooks.slack.com/services/T0/B0/abc",
                "curl -X POST https://hooks.slack.com/services/***",
            ),
            (
                "echo '-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----' > k",
                "echo '***' > k",
            ),
            ("log in with password: hunter2", "log in with password: ***"),
            ("tool --password ***%AA x", "tool --password *** x"),
        ] {
            assert_eq!(masked(line), expected);
            assert_eq!(masked(expected), expected, "masking twice changes nothing");
        }
    }

    #[test]
    fn ordinary_lines_stay_as_they_are() {
        for line in [
            "find . -name '*.rs' -mtime -7 -print0 | xargs -0 rm",
            "git clone https://example.org/x.git",
            "ssh me@example.org -p 22",
            "scp a me@example.org:/tmp/",
            "mkdir -p a/b",
            "ps -p 1",
            "ls --author",
            "cat /etc/passwd | cut -d: -f1",
            "passwd",
            "grep -rn password src",
            "man passwd",
            "tool --password $PASSWORD",
            "TOKEN=${CI_TOKEN} ./x",
            "curl http://localhost:8080/a@b",
            "cargo test token",
            "docker run -p 80:80 nginx",
            "git log --author=Ann",
            "kubectl get secrets -n app",
            "find . -path ./a -prune",
            "echo hi | grep sh",
            "which token was it?",
        ] {
            assert_eq!(masked(line), line);
        }
    }

    proptest! {
        #[test]
        fn a_password_of_any_form_is_masked(secret in "[A-Za-z0-9!#%^*_+./~-]{6,24}") {
            for line in [
                format!("tool --password {secret} x"),
                format!("TOKEN={secret} x"),
                format!("curl -H 'Authorization: Bearer {secret}' h"),
                format!("curl -u me:{secret} h"),
            ] {
                let masked = masked(&line);
                prop_assert!(!masked.contains(&secret), "{}", masked);
            }
        }

        #[test]
        fn any_line_is_safe(line in "[ -~é\n]{0,80}") {
            let once = masked(&line);
            prop_assert_eq!(masked(&once).is_empty(), line.is_empty());
        }
    }
}
