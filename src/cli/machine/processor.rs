//! The machine's name and memory: for `config.toml`, as figures from a run mean little without it, and for
//! what fits into its memory.

use std::path::Path;

/// The processor's own name, or its architecture where it does not tell.
pub fn processor() -> String {
    #[cfg(target_arch = "x86_64")]
    if let Some(brand) = raw_cpuid::CpuId::new().get_processor_brand_string() {
        return brand.as_str().trim().to_string();
    }
    std::env::consts::ARCH.to_string()
}

/// Bytes of memory that the machine has, where the system whose `proc` is below `root` tells.
pub fn memory_bytes(root: &Path) -> Option<usize> {
    // Linux: a line such as `MemTotal:       24646656 kB`.
    kibibytes(&std::fs::read_to_string(root.join("proc/meminfo")).ok()?, "MemTotal:")
}

/// The bytes of the line that begins with `name`, in a text of the kernel's that counts in KiB.
pub fn kibibytes(text: &str, name: &str) -> Option<usize> {
    let number = text.lines().find_map(|line| line.strip_prefix(name))?.trim().strip_suffix("kB")?;
    number.trim().parse::<usize>().ok()?.checked_mul(1024)
}
