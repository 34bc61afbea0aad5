//! What the process used of time, memory and disk: dbt's ResourceReport. Where the system does not say, there is none.

use std::path::Path;
use std::time::Duration;

use crate::event::Event;
use crate::fs::FileSystem;
use crate::manifest::{Json, JsonMap};

/// Ticks in which Linux counts a process's time, in a second.
const TICKS: f64 = 100.0;
/// What the system counts as one block.
const BLOCK: u64 = 512;

/// The event for a command that ended. `shown`: on the console as well.
pub(super) fn report(fs: &dyn FileSystem, command: &str, success: bool, took: Duration, shown: bool) -> Option<Event> {
    let read = |name: &str| String::from_utf8(fs.read(&Path::new("/proc/self").join(name)).ok()?).ok();
    let (user, kernel) = times(&read("stat")?)?;
    let memory = number(&read("status")?, "VmHWM:")?;
    let disk = read("io").unwrap_or_default();
    let blocks = |key: &str| number(&disk, key).unwrap_or_default() / BLOCK;
    let data: JsonMap = [
        ("command_name", Json::from(command)),
        ("command_success", success.into()),
        ("command_wall_clock_time", took.as_secs_f64().into()),
        ("process_in_blocks", blocks("read_bytes:").to_string().into()),
        ("process_kernel_time", kernel.into()),
        ("process_mem_max_rss", memory.to_string().into()),
        ("process_out_blocks", blocks("write_bytes:").to_string().into()),
        ("process_user_time", user.into()),
    ]
    .into_iter()
    .map(|(key, value)| (key.to_owned(), value))
    .collect();
    let text = format!("Resource report: {}", Json::Object(data.clone()));
    let level = if shown { "info" } else { "debug" };
    Some(Event::Note { name: "ResourceReport", code: "Z051", level, text, data })
}

/// Seconds of the process's own and of the system's work: the 14th and 15th field. The second field may hold blanks.
fn times(stat: &str) -> Option<(f64, f64)> {
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let mut seconds = || Some(fields.next()?.parse::<f64>().ok()? / TICKS);
    Some((seconds()?, seconds()?))
}

/// The number after a key, on a line of its own.
fn number(text: &str, key: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(key))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::report;
    use crate::event::Event;
    use crate::fs::Memory;

    #[test]
    fn used_resources_are_reported_where_the_system_tells_them() {
        let fs = Memory::new([
            ("/proc/self/stat", "7 (a b) c) S 1 2 3 4 5 6 7 8 9 10 250 50 0 0"),
            ("/proc/self/status", "Name:\tx\nVmHWM:\t  2048 kB\n"),
            ("/proc/self/io", "read_bytes: 1024\nwrite_bytes: 5120\n"),
        ]);
        let Some(Event::Note { data, level, .. }) = report(&fs, "run", true, Duration::from_secs(3), false) else {
            panic!("no event")
        };
        let wanted = serde_json::json!({
            "command_name": "run", "command_success": true, "command_wall_clock_time": 3.0, "process_in_blocks": "2",
            "process_kernel_time": 0.5, "process_mem_max_rss": "2048", "process_out_blocks": "10", "process_user_time": 2.5,
        });
        assert_eq!((serde_json::Value::Object(data), level), (wanted, "debug"));
        assert!(report(&Memory::default(), "run", true, Duration::ZERO, false).is_none());
    }
}
