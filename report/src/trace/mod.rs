//! Traces: every event of a run as JSON Lines.
//!
//! The first line is the header; every other line is one event. One scenario and one seed give the
//! same bytes on every run and machine, in every release with the same format version.

mod golden;
mod kept;
mod line;
mod read;
mod record;
mod table;
mod write;

pub use golden::Golden;
pub use read::{ReadError, read};
pub use record::{Header, Record};
pub use table::{EVENTS, EventSpec, KEYS, KeySpec, Kind, events_table, keys_table, schema};
pub use write::Writer;

/// How a trace begins: the key that only its first line has.
pub const BEGIN: &[u8] = b"{\"ipcsim-trace\":";

/// The version of the format. Any change of the bytes of any trace raises it.
pub const VERSION: u32 = 2;

/// The fingerprint of a scenario, for headers: FNV-1a, 64 bits, over its text and the changes made
/// to it, each ended by a zero byte. It tells scenarios apart; it protects against nobody.
pub fn fingerprint(text: &[u8], sets: &[String]) -> String {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    let mut add = |bytes: &[u8]| {
        for byte in bytes.iter().chain(&[0]) {
            hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    };
    add(text);
    for set in sets {
        add(set.as_bytes());
    }
    format!("{hash:016x}")
}
