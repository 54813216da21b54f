//! What the program runs on, as far as the system tells.

use std::collections::BTreeSet;
use std::{env, fs};

use kernels::{Caches, Isa};
use nn::Executor;
use serde::Serialize;

use super::check::Check;
use crate::limits::{self, Group};
use crate::pool::Pool;
use crate::words::plural;

/// With less memory than this left, the default recipe may not run.
const LITTLE_MEMORY: u64 = 256 << 20;

/// The machine, and what this process may use of it.
#[derive(Debug, Serialize)]
pub(super) struct Machine {
    cpu: String,
    /// The instruction set in use, and all that this CPU has, fastest first.
    isa: &'static str,
    isa_available: Vec<&'static str>,
    /// Logical processors that are online.
    processors: Option<usize>,
    /// Cores, which may be two processors each.
    cores: Option<usize>,
    /// Processors that this process may run on.
    allowed_processors: Option<usize>,
    /// The limit of the container, in processors.
    cpu_limit: Option<f64>,
    threads: usize,
    l1_bytes: usize,
    l2_bytes: usize,
    l3_bytes: usize,
    memory_bytes: Option<u64>,
    /// What the process can still get.
    memory_free_bytes: Option<u64>,
    /// The limit of the container.
    memory_limit_bytes: Option<u64>,
}

impl Machine {
    pub(super) fn of_this(isa: Isa, pool: &Pool) -> Self {
        let text = |path: &str| fs::read_to_string(path).unwrap_or_default();
        let cpuinfo = text("/proc/cpuinfo");
        let status = text("/proc/self/status");
        let allowed = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
        let Caches { l1, l2, l3, .. } = Caches::active();
        let group = Group::own();
        Self {
            cpu: cpu_name(&cpuinfo).unwrap_or_else(|| env::consts::ARCH.to_owned()),
            isa: isa.name(),
            isa_available: Isa::available().into_iter().map(Isa::name).collect(),
            processors: list_len(&text("/sys/devices/system/cpu/online")),
            cores: cores(&cpuinfo),
            allowed_processors: allowed.and_then(list_len),
            cpu_limit: group.cpus(),
            threads: pool.threads(),
            l1_bytes: l1,
            l2_bytes: l2,
            l3_bytes: l3,
            memory_bytes: limits::kib(&text("/proc/meminfo"), "MemTotal:"),
            memory_free_bytes: Some(limits::memory(1)).filter(|free| *free < u64::MAX),
            memory_limit_bytes: group.memory(),
        }
    }

    /// `note` is what the pool has to say of its threads.
    pub(super) fn checks(&self, note: Option<String>) -> [Check; 5] {
        [self.cpu(), self.isa(), self.threads(note), self.caches(), self.memory()]
    }

    fn cpu(&self) -> Check {
        let mut text = self.cpu.clone();
        match (self.processors, self.cores) {
            (Some(processors), Some(cores)) if cores < processors => {
                let cores = plural(cores, "core");
                text += &format!(", {} of {cores}", plural(processors, "processor"));
            }
            (Some(processors), _) => text += &format!(", {}", plural(processors, "core")),
            (None, _) => (),
        }
        Check::ok("cpu", text)
    }

    fn isa(&self) -> Check {
        const NAME: &str = "instructions";
        let others = self.isa_available.join(", ");
        let fastest = self.isa_available.first().copied().unwrap_or(self.isa);
        if self.isa != fastest {
            return Check::warn(
                NAME,
                format!("{}, by KERNELS_ISA; this CPU has {others}", self.isa),
                format!("unset KERNELS_ISA: {fastest} is faster"),
            );
        }
        if self.isa == "scalar" {
            return Check::warn(
                NAME,
                "scalar, plain Rust: this CPU has no instruction set that the kernels use",
                "products are about fifteen times as fast on a CPU with AVX2 and FMA, or NEON",
            );
        }
        Check::ok(NAME, format!("{}, the fastest of {others}", self.isa))
    }

    fn threads(&self, note: Option<String>) -> Check {
        const NAME: &str = "threads";
        let threads = self.threads;
        if let Some(note) = note {
            return Check::warn(NAME, format!("{threads}, by --threads"), note);
        }
        let (limit, allowed) = (self.cpu_limit, self.allowed_processors);
        let all = self.processors.or(allowed);
        let fewest = allowed.or(all).unwrap_or(threads);
        match limit {
            Some(limit) if limit < threads as f64 => Check::warn(
                NAME,
                format!("{threads}, and the container's limit is {limit:.2} processors"),
                format!(
                    "the program is stopped for {:.0} % of the time: raise the limit, to a whole \
                     number",
                    100.0 * (1.0 - limit / threads as f64)
                ),
            ),
            Some(limit) if limit < fewest as f64 => {
                let all = all.map_or_else(String::new, |all| format!(" of {all}"));
                let limit = format!("the container's limit is {limit:.2} processors{all}");
                Check::ok(NAME, format!("{threads}; {limit}"))
            }
            _ if allowed < all => Check::ok(
                NAME,
                format!("{threads}; the process may run on {fewest} of {} cores", all.unwrap_or(0)),
            ),
            _ if threads == fewest => Check::ok(NAME, format!("{threads}, one for each core")),
            _ => Check::ok(NAME, format!("{threads}, by --threads; {}", plural(fewest, "core"))),
        }
    }

    fn caches(&self) -> Check {
        let [l1, l2, l3] = [self.l1_bytes, self.l2_bytes, self.l3_bytes].map(|bytes| bytes >> 10);
        let said = env::var_os("KERNELS_CACHES").is_some();
        let origin = if said { "; KERNELS_CACHES is set" } else { "" };
        Check::ok("caches", format!("L1 {l1} KiB, L2 {l2} KiB, L3 {l3} KiB{origin}"))
    }

    fn memory(&self) -> Check {
        const NAME: &str = "memory";
        let Some(free) = self.memory_free_bytes else {
            return Check::ok(NAME, "the system does not tell");
        };
        let mut text = format!("{} free", limits::bytes(free));
        if let Some(all) = self.memory_bytes {
            text += &format!(" of {}", limits::bytes(all));
        }
        if let Some(limit) = self.memory_limit_bytes {
            text += &format!("; the container's limit is {}", limits::bytes(limit));
        }
        if free < LITTLE_MEMORY {
            let advice = "close other programs, or raise the limit: a run may need more";
            return Check::warn(NAME, text, advice);
        }
        Check::ok(NAME, text)
    }
}

/// The name of the CPU in Linux's `/proc/cpuinfo`; ARM has none there.
fn cpu_name(cpuinfo: &str) -> Option<String> {
    let name = cpuinfo.lines().find_map(|line| line.strip_prefix("model name"))?;
    let name = name.split_once(':')?.1.split_whitespace().collect::<Vec<_>>().join(" ");
    (!name.is_empty()).then_some(name)
}

/// How many cores `/proc/cpuinfo` lists, by the package and the core of each processor.
fn cores(cpuinfo: &str) -> Option<usize> {
    let value = |block: &str, key: &str| {
        let line = block.lines().find_map(|line| line.strip_prefix(key))?;
        line.split_once(':')?.1.trim().parse::<u32>().ok()
    };
    let blocks = cpuinfo.split("\n\n");
    let cores: BTreeSet<_> = blocks
        .filter_map(|block| Some((value(block, "physical id")?, value(block, "core id")?)))
        .collect();
    (!cores.is_empty()).then_some(cores.len())
}

/// How many numbers a list of the kernel has: `0-3,8` has five.
fn list_len(text: &str) -> Option<usize> {
    let mut len = 0usize;
    for range in text.trim().split(',') {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let [first, last] = [first, last].map(|number| number.trim().parse::<u32>().ok());
        len += last?.checked_sub(first?)? as usize + 1;
    }
    Some(len)
}

#[cfg(test)]
mod tests {
    use super::super::check::Mark;
    use super::*;

    #[test]
    fn lists_of_the_kernel() {
        for (text, expected) in [
            ("0-3,8\n", Some(5)),
            ("0", Some(1)),
            ("\t0-1", Some(2)),
            ("", None),
            ("3-1", None),
            ("all", None),
            ("0-4294967295", Some(1 << 32)),
        ] {
            assert_eq!(list_len(text), expected, "{text:?}");
        }
    }

    #[test]
    fn what_cpuinfo_says() {
        let processor = |package, core| {
            format!(
                "processor\t: 0\nmodel name\t: A  CPU @ 2 GHz\nphysical id\t: {package}\n\
                 core id\t\t: {core}\nflags\t: fpu\n"
            )
        };
        let two = [processor(0, 0), processor(0, 0)].join("\n");
        assert_eq!((cpu_name(&two).as_deref(), cores(&two)), (Some("A CPU @ 2 GHz"), Some(1)));
        let packages = [processor(0, 0), processor(1, 0), processor(0, 3)].join("\n");
        assert_eq!(cores(&packages), Some(3));
        assert_eq!((cpu_name("Hardware\t: x\n"), cores("processor\t: 0\n")), (None, None));
    }

    /// A machine with 8 processors, and this many threads.
    fn machine(threads: usize, allowed: usize, cpu_limit: Option<f64>) -> Machine {
        Machine {
            cpu: "CPU".into(),
            isa: "avx2",
            isa_available: vec!["avx2", "scalar"],
            processors: Some(8),
            cores: Some(4),
            allowed_processors: Some(allowed),
            cpu_limit,
            threads,
            l1_bytes: 32 << 10,
            l2_bytes: 512 << 10,
            l3_bytes: 4 << 20,
            memory_bytes: Some(8_000_000_000),
            memory_free_bytes: Some(4_000_000_000),
            memory_limit_bytes: None,
        }
    }

    #[test]
    fn why_so_many_threads() {
        for (machine, mark, expected) in [
            (machine(8, 8, None), Mark::Ok, "8, one for each core"),
            (machine(2, 8, None), Mark::Ok, "2, by --threads; 8 cores"),
            (machine(3, 3, None), Mark::Ok, "3; the process may run on 3 of 8 cores"),
            (
                machine(2, 8, Some(2.5)),
                Mark::Ok,
                "2; the container's limit is 2.50 processors of 8",
            ),
            (machine(8, 8, Some(16.0)), Mark::Ok, "8, one for each core"),
            (
                machine(1, 8, Some(0.5)),
                Mark::Warn,
                "1, and the container's limit is 0.50 processors",
            ),
        ] {
            let check = machine.threads(None);
            assert_eq!((check.mark, &*check.text), (mark, expected));
        }
        let half = machine(1, 8, Some(0.5)).threads(None);
        assert!(half.advice.unwrap().contains("stopped for 50 % of the time"));
        let many = machine(16, 8, None).threads(Some("more than cores".into()));
        assert_eq!((many.mark, &*many.text), (Mark::Warn, "16, by --threads"));
    }

    #[test]
    fn slow_instructions_and_little_memory_are_warnings() {
        let good = machine(8, 8, None);
        assert_eq!(good.isa().text, "avx2, the fastest of avx2, scalar");
        assert_eq!(good.cpu().text, "CPU, 8 processors of 4 cores");
        assert_eq!(good.memory().text, "4.0 GB free of 8.0 GB");
        let scalar = Machine { isa: "scalar", ..machine(8, 8, None) };
        assert_eq!(scalar.isa().mark, Mark::Warn);
        assert!(scalar.isa().advice.unwrap().contains("unset KERNELS_ISA"));
        let alone = Machine { isa_available: vec!["scalar"], ..scalar };
        assert!(alone.isa().text.contains("plain Rust"));
        let full = Machine { memory_free_bytes: Some(1 << 20), ..good };
        assert_eq!(full.memory().mark, Mark::Warn);
    }
}
