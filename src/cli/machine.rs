//! What machine this is: for `config.toml`, as figures from a run mean little without it, and for what fits into its memory.

/// The processor's own name, or its architecture where it does not tell.
pub fn processor() -> String {
    #[cfg(target_arch = "x86_64")]
    if let Some(brand) = raw_cpuid::CpuId::new().get_processor_brand_string() {
        return brand.as_str().trim().to_string();
    }
    std::env::consts::ARCH.to_string()
}

/// Bytes of memory that the machine has, where the system tells.
pub fn memory_bytes() -> Option<usize> {
    // Linux: a line such as `MemTotal:       24646656 kB`.
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let kibibytes = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?.trim().strip_suffix("kB")?;
    kibibytes.trim().parse::<usize>().ok()?.checked_mul(1024)
}
