//! The points between two steps at which a test lets the process die, as SIGKILL ends it.
//!
//! The variable `FAILPOINTS` of the environment names a point and the pass that is the last:
//! `Appended=7*off->return` dies in the eighth. Without the feature `failpoints` a pass is nothing,
//! and a program that is built to be used has none of it.

/// Defines the points, and a list of all.
macro_rules! points {
    ($($(#[$documentation:meta])* $name:ident,)*) => {
        /// A point between two steps.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Point {
            $($(#[$documentation])* $name,)*
        }

        impl Point {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// What `FAILPOINTS` calls it.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name),)*
                }
            }
        }
    };
}

points! {
    /// A group is about to be written to the journal.
    AppendBegins,
    /// The first of a group's bytes are written, and the others not.
    PartlyAppended,
    /// A group is written, and nobody was told.
    Appended,
    /// A sync of the newest segment on the writer's thread is about to begin.
    SyncBegins,
    /// It ended.
    Synced,
    /// A sync beside the writer is about to begin.
    SyncBesideBegins,
    /// It ended, and the writer was not told.
    SyncedBeside,
    /// What is synced is about to be applied.
    ApplyBegins,
    /// It is applied, and nobody was told.
    Applied,
    /// A segment is full and synced.
    SegmentEnded,
    /// The next segment has a file under another name, with nothing in it.
    SegmentCreated,
    /// That file is whole and synced.
    SegmentWritten,
    /// The segment has its name.
    SegmentNamed,
    /// Rows of a checkpoint are written, and the index is about to write its tables.
    FlushBegins,
    /// The index has written its tables.
    Flushed,
    /// A small file's new content is whole under another name.
    FileWritten,
    /// It has its name.
    FileNamed,
    /// A dead segment is about to be removed.
    RemovalBegins,
    /// A dead segment is removed, and its rows are still there.
    Removed,
    /// Rows of removed segments are gone.
    Reclaimed,
    /// The journal is open, and the index is not.
    JournalOpened,
    /// What the index lacks is about to be applied.
    ReplayBegins,
    /// The index has all that the journal says.
    Replayed,
    /// A change of topics or of other things that the registry holds is about to be committed.
    RegistryChanges,
    /// It is durable, and nobody was told.
    RegistryChanged,
}

/// Reads from the environment which point kills.
pub fn set_up() {
    #[cfg(feature = "failpoints")]
    {
        // The end of a scenario would forget what was read.
        std::mem::forget(fail::FailScenario::setup());
    }
}

/// Kills the process if it is to die at this point.
pub fn reach(point: Point) {
    reach_by(point, || ());
}

/// Does a part of a step and kills the process, if it is to die at the point behind that part.
pub fn reach_by(point: Point, part: impl FnOnce()) {
    #[cfg(feature = "failpoints")]
    fail::fail_point!(point.name(), |_| {
        part();
        kill();
    });
    #[cfg(not(feature = "failpoints"))]
    let _ = (point, part);
}

/// No thread of the process sees the end of this.
#[cfg(feature = "failpoints")]
fn kill() {
    use rustix::process::{Signal, getpid, kill_process};
    // It fails for processes of others only.
    let _ = kill_process(getpid(), Signal::KILL);
    std::process::abort();
}
