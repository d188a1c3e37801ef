//! What may be read, written and removed, and what may not.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use common::{Tree, answers, host, probe, tried, views};
use mcp_sandbox::{Job, Layer, Profile, SandboxError};

/// Attempts on what lies outside the roots. Each is an effect, or a read of something secret.
fn escapes(tree: &Tree) -> Vec<String> {
    let (root, outside) = (tree.text("root"), tree.text("outside"));
    let secret = format!("{outside}/secret");
    vec![
        format!("read|{secret}"),
        format!("read|{root}/leak"),
        format!("read|{root}/exit/secret"),
        format!("read|{root}/../outside/secret"),
        format!("read|/proc/self/root{secret}"),
        format!("read|/proc/self/cwd/../outside/secret"),
        format!("read|{}/.ssh/id_canary", tree.text("home")),
        format!("list|{outside}"),
        format!("write|{outside}/new"),
        format!("write|{outside}/victim"),
        format!("append|{outside}/victim"),
        format!("truncate|{outside}/victim"),
        format!("unlink|{outside}/victim"),
        format!("unlink|{root}/exit/victim"),
        format!("rmdir|{outside}/dir"),
        format!("mkdir|{outside}/made"),
        format!("rename|{outside}/victim|{outside}/renamed"),
        format!("rename|{root}/file|{outside}/moved"),
        format!("rename|{outside}/victim|{root}/stolen"),
        format!("link|{secret}|{root}/hard"),
        format!("link|{root}/file|{outside}/hard"),
        format!("symlink|x|{outside}/soft"),
        format!("chmod|{outside}/victim"),
        format!("touch|{outside}/victim"),
        format!("fifo|{outside}/fifo"),
        format!("unix-bind|{outside}/socket"),
    ]
}

/// Changes below the root.
fn changes(tree: &Tree) -> Vec<String> {
    let root = tree.text("root");
    vec![
        format!("write|{root}/new"),
        format!("append|{root}/file"),
        format!("truncate|{root}/file"),
        format!("mkdir|{root}/made"),
        format!("rename|{root}/new|{root}/made/new"),
        format!("link|{root}/file|{root}/hard"),
        format!("symlink|file|{root}/soft"),
        format!("fifo|{root}/fifo"),
        format!("unlink|{root}/hard"),
        format!("unlink|{root}/made/new"),
        format!("rmdir|{root}/made"),
    ]
}

#[test]
fn nothing_outside_the_roots_is_read_or_changed() {
    for namespaces in views() {
        let tree = Tree::new(namespaces);
        let before = tree.canaries();
        for profile in [Profile::Read, Profile::Workspace, Profile::WorkspaceNet] {
            let attempts = escapes(&tree);
            for (attempt, answer) in attempts.iter().zip(tried(&tree.sandbox(), profile, &attempts)) {
                assert!(
                    answer.starts_with("error"),
                    "{profile:?}, namespaces {namespaces}: {attempt} gave {answer}"
                );
            }
        }
        assert_eq!(tree.canaries(), before, "namespaces {namespaces}");
        assert!(!tree.path("root/stolen").exists() && tree.path("root/file").exists());
    }
}

/// The view of its own by itself, without Landlock and seccomp.
#[test]
fn a_view_of_ones_own_is_enough() {
    if !host().namespaces {
        println!("skipped: this host has no namespaces for us");
        return;
    }
    let tree = Tree::new(true);
    let before = tree.canaries();
    let mut bare = tree.capabilities();
    (bare.landlock_abi, bare.seccomp) = (0, false);
    let sandbox = tree.sandbox_with(bare).accept(Layer::Landlock).accept(Layer::Seccomp);
    for (profile, attempts) in [
        (Profile::Workspace, escapes(&tree)),
        (Profile::Read, escapes(&tree)),
        (Profile::Read, changes(&tree)),
    ] {
        for (attempt, answer) in attempts.iter().zip(tried(&sandbox, profile, &attempts)) {
            assert!(answer.starts_with("error"), "{profile:?}: {attempt} gave {answer}");
        }
    }
    assert_eq!(tree.canaries(), before);
}

/// Shows that the attempts are real: without the layers the same ones have their effects.
#[test]
fn the_same_attempts_succeed_without_the_layers() {
    let tree = Tree::new(false);
    let mut bare = tree.capabilities();
    (bare.landlock_abi, bare.seccomp) = (0, false);
    let sandbox =
        tree.sandbox_with(bare).accept(Layer::Landlock).accept(Layer::Seccomp).accept(Layer::Signals);
    let attempts = escapes(&tree);
    // The order is such that each attempt still finds what it needs, but for those that come after a removal.
    let answers = tried(&sandbox, Profile::Workspace, &attempts);
    let failed: Vec<_> =
        attempts.iter().zip(&answers).filter(|(_, answer)| answer.starts_with("error")).collect();
    let needs_victim = |attempt: &str| attempt.contains("victim") || attempt.contains("root/file|");
    assert!(failed.iter().all(|(attempt, _)| needs_victim(attempt)), "{failed:?}");
    assert!(failed.len() <= 6, "{failed:?}");
    // One by one what was removed above.
    for attempt in escapes(&tree).iter().filter(|attempt| attempt.contains("victim")) {
        let tree = Tree::new(false);
        let attempt =
            attempt.replace(&attempt_base(attempt), tree.path("").to_str().unwrap().trim_end_matches('/'));
        let mut bare = tree.capabilities();
        (bare.landlock_abi, bare.seccomp) = (0, false);
        let sandbox =
            tree.sandbox_with(bare).accept(Layer::Landlock).accept(Layer::Seccomp).accept(Layer::Signals);
        assert!(tried(&sandbox, Profile::Workspace, &[&attempt])[0].starts_with("ok"), "{attempt}");
    }
}

/// The directory of the tree that an attempt names.
fn attempt_base(attempt: &str) -> String {
    let path = attempt.split('|').nth(1).unwrap();
    let end = ["/root", "/outside"].iter().filter_map(|part| path.find(part)).min().unwrap();
    path[..end].to_owned()
}

#[test]
fn a_workspace_may_be_changed_and_a_tree_that_is_read_may_not() {
    for namespaces in views() {
        let tree = Tree::new(namespaces);
        let attempts = changes(&tree);
        for (attempt, answer) in attempts.iter().zip(tried(&tree.sandbox(), Profile::Read, &attempts)) {
            assert!(answer.starts_with("error"), "namespaces {namespaces}: {attempt} gave {answer}");
        }
        assert_eq!(std::fs::read_to_string(tree.path("root/file")).unwrap(), "canary of root/file");
        for profile in [Profile::Workspace, Profile::WorkspaceNet] {
            let tree = Tree::new(namespaces);
            let attempts = changes(&tree);
            for (attempt, answer) in attempts.iter().zip(tried(&tree.sandbox(), profile, &attempts)) {
                assert!(
                    answer.starts_with("ok"),
                    "{profile:?}, namespaces {namespaces}: {attempt} gave {answer}"
                );
            }
            assert_eq!(std::fs::read_to_string(tree.path("root/file")).unwrap(), "");
        }
    }
}

#[test]
fn modes_and_times_of_a_workspace_change_in_a_view_of_its_own() {
    for namespaces in views() {
        let tree = Tree::new(namespaces);
        let root = tree.text("root");
        let attempts = [format!("chmod|{root}/file"), format!("touch|{root}/file")];
        let expected = if namespaces { "ok" } else { "error 1" };
        assert_eq!(tried(&tree.sandbox(), Profile::Workspace, &attempts), [expected; 2]);
        let refused = if namespaces { "error 30" } else { "error 1" };
        assert_eq!(tried(&tree.sandbox(), Profile::Read, &attempts), [refused; 2]);
    }
}

#[test]
fn what_every_command_needs_is_there() {
    for namespaces in views() {
        let tree = Tree::new(namespaces);
        let temporary = if namespaces { "/tmp/x".to_owned() } else { "x".to_owned() };
        let attempts = [
            format!("read|{}/file", tree.text("root")),
            "read|/usr/bin/env".to_owned(),
            "read|/etc/passwd".to_owned(),
            "read|/proc/self/status".to_owned(),
            "read|/proc/cpuinfo".to_owned(),
            "write|/dev/null".to_owned(),
            "exec|/bin/true".to_owned(),
            "pair".to_owned(),
            format!("list|{}", tree.text("root")),
        ];
        assert_eq!(tried(&tree.sandbox(), Profile::Read, &attempts), ["ok"; 9], "namespaces {namespaces}");
        let script =
            format!("cd \"$TMPDIR\" && echo kept > {temporary} && cat {temporary} && echo \"$HOME\"");
        let outcome = tree.sandbox().run(&Job::script(Profile::Read, ["/bin/sh"], script)).unwrap();
        assert_eq!(outcome.stdout.text().lines().next(), Some("kept"), "{outcome:?}");
        assert_eq!(std::fs::read_dir(tree.path("scratch")).unwrap().count(), 0, "nothing stays");
    }
}

#[test]
fn secrets_of_the_system_are_not_read_even_by_root() {
    let secrets =
        ["read|/etc/shadow", "read|/etc/sudoers", "list|/etc/ssh", "list|/root", "read|/proc/kcore"];
    for namespaces in views() {
        let tree = Tree::new(namespaces);
        for (secret, answer) in secrets.iter().zip(tried(&tree.sandbox(), Profile::WorkspaceNet, &secrets)) {
            assert!(answer.starts_with("error"), "namespaces {namespaces}: {secret} gave {answer}");
        }
    }
}

#[test]
fn the_working_folder_lies_beneath_the_roots() {
    for namespaces in views() {
        let tree = Tree::new(namespaces);
        let sandbox = tree.sandbox();
        let run = |cwd: &str| {
            let mut job = Job::argv(Profile::Read, ["pwd", "-P"]);
            job.cwd = Some(cwd.into());
            sandbox.run(&job)
        };
        let root = tree.text("root");
        for cwd in
            ["..", "../outside", "exit", "dir/../../outside", "missing", "file", "/etc", "/proc/self/cwd"]
        {
            assert!(matches!(run(cwd), Err(SandboxError::Directory { .. })), "{cwd}: {:?}", run(cwd));
        }
        assert!(matches!(run(&tree.text("outside")), Err(SandboxError::Directory { .. })));
        assert!(matches!(run(&format!("{root}-other")), Err(SandboxError::Directory { .. })));
        for (cwd, expected) in
            [("", &root), (".", &root), ("dir", &format!("{root}/dir")), ("inner", &format!("{root}/dir"))]
        {
            let outcome = run(cwd).unwrap();
            assert_eq!(outcome.stdout.text().trim_end(), expected, "{cwd}");
        }
        assert_eq!(run(&format!("{root}/dir")).unwrap().stdout.text().trim_end(), format!("{root}/dir"));
    }
}

#[test]
fn a_root_that_was_exchanged_gives_no_way_out() {
    for namespaces in views() {
        let tree = Tree::new(namespaces);
        let nested = tree.path("root/dir");
        let sandbox = mcp_sandbox::Sandbox::new(&[tree.path("root"), nested.clone()], tree.capabilities())
            .unwrap()
            .with_helper(common::HELPER.as_ref())
            .with_scratch(&tree.path("scratch"))
            .unwrap()
            .also_read(std::path::Path::new(common::PROBE).parent().unwrap())
            .unwrap()
            .accept(Layer::ProcessLimit);
        // What an earlier command may do to a root below another root.
        std::fs::rename(&nested, tree.path("root/gone")).unwrap();
        std::os::unix::fs::symlink(tree.path("outside"), &nested).unwrap();
        let before = tree.canaries();
        let attempts =
            [format!("read|{}/secret", nested.display()), format!("write|{}/victim", nested.display())];
        match sandbox.run(&probe(Profile::Workspace, &attempts)) {
            Ok(outcome) => {
                assert!(answers(&outcome).iter().all(|answer| answer.starts_with("error")), "{outcome:?}");
            }
            Err(SandboxError::Refused { step, .. }) => assert!(step.contains("root/dir"), "{step}"),
            Err(other) => panic!("{other}"),
        }
        assert_eq!(tree.canaries(), before);
    }
}

#[test]
fn the_systems_own_folders_cannot_be_roots() {
    for root in ["/", "/tmp", "/dev", "/proc", "/proc/self", "/sys", "/dev/shm", "/missing", "/etc/passwd"] {
        let found = mcp_sandbox::Sandbox::new(&[root], host().clone());
        assert!(matches!(found, Err(SandboxError::Directory { .. })), "{root}: {found:?}");
    }
}
