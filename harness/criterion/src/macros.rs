//! The macros that make functions a bench target.

/// Makes a function that runs the targets, each a function of `&mut Criterion`.
///
/// ```
/// use criterion::{Criterion, criterion_group};
///
/// fn target(c: &mut Criterion) {
///     c.bench_function("nothing", |b| b.iter(|| ()));
/// }
///
/// criterion_group!(short, target);
/// criterion_group! {
///     name = long;
///     config = Criterion::default().sample_size(20);
///     targets = target, target
/// }
/// # short();
/// # long();
/// ```
#[macro_export]
macro_rules! criterion_group {
    (name = $name:ident; config = $config:expr; targets = $( $target:path ),+ $(,)*) => {
        /// Runs the benchmarks of this group.
        pub fn $name() {
            let mut criterion: $crate::Criterion<_> = $config.configure_from_args();
            $(
                $crate::__guarded(stringify!($target), || {
                    $target(&mut criterion);
                });
            )+
        }
    };
    ($name:ident, $( $target:path ),+ $(,)*) => {
        $crate::criterion_group! {
            name = $name;
            config = $crate::Criterion::default();
            targets = $( $target ),+
        }
    };
}

/// Makes the `main` of a bench target out of groups.
#[macro_export]
macro_rules! criterion_main {
    ( $( $group:path ),+ $(,)* ) => {
        fn main() {
            $crate::__begin();
            $(
                $crate::__guarded(stringify!($group), || {
                    $group();
                });
            )+
            $crate::Criterion::default().configure_from_args().final_summary();
        }
    };
}
