//! The machine's roofs, and how much its second-level caches hold.

use super::model::Roofs;
use crate::bench::machine_peak::MachinePeak;
use std::path::Path;

/// Bytes of a core's second-level cache, where the system does not tell.
const L2_BYTES: f64 = 1048576.0;

/// Measures the roofs of the current pool, which takes a third of a second or so.
pub fn measure() -> Roofs {
    let MachinePeak { gflops, l2_gb_per_s, gb_per_s, .. } = MachinePeak::measure();
    Roofs { gflops, l2_gb_per_s, memory_gb_per_s: gb_per_s }
}

/// Bytes that the second-level caches of so many cores hold.
pub fn l2_bytes(threads: usize) -> f64 {
    threads as f64 * l2_of_a_core(Path::new("/sys/devices/system/cpu/cpu0/cache")).unwrap_or(L2_BYTES)
}

/// Bytes of a core's second-level cache, of which Linux tells in a folder for each cache: `level` is 2, and
/// `size` is such as `2048K`.
fn l2_of_a_core(caches: &Path) -> Option<f64> {
    let read = |path: &Path, file: &str| std::fs::read_to_string(path.join(file)).ok();
    let level = |path: &Path| read(path, "level").is_some_and(|level| level.trim() == "2");
    let cache = std::fs::read_dir(caches).ok()?.flatten().map(|entry| entry.path()).find(|path| level(path))?;
    let kibibytes = read(&cache, "size")?.trim().strip_suffix('K')?.parse::<f64>().ok()?;
    Some(kibibytes * 1024.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_level_is_found_among_the_caches() {
        let folder = tempfile::tempdir().unwrap();
        for (name, level, size) in
            [("index0", "1\n", "32K\n"), ("index2", "2\n", "2048K\n"), ("index3", "3\n", "266240K\n")]
        {
            let cache = folder.path().join(name);
            std::fs::create_dir(&cache).unwrap();
            std::fs::write(cache.join("level"), level).unwrap();
            std::fs::write(cache.join("size"), size).unwrap();
        }
        assert_eq!(l2_of_a_core(folder.path()), Some(2048.0 * 1024.0));
        assert_eq!(l2_of_a_core(&folder.path().join("none")), None);
        assert!(l2_bytes(3) >= 3.0 * 64.0 * 1024.0);
    }
}
