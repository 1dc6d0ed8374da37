//! Resource usage of this process, from Linux; zeros on other systems.

/// Clock ticks per second in `/proc`, the same on every Linux.
const TICKS: f64 = 100.0;

/// Counters that only grow.
#[derive(Clone, Copy, Debug, Default)]
pub struct Usage {
    /// Processor time of all threads, user and system, in seconds.
    pub cpu_seconds: f64,
    /// Page faults: pages mapped at first use, such as those of newly allocated
    /// memory.
    pub page_faults: f64,
}

impl Usage {
    /// The counters now.
    pub fn now() -> Usage {
        let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
        // The program's name, in parentheses, may contain anything.
        let after_name = stat.rsplit(')').next().unwrap_or_default();
        let fields: Vec<f64> = after_name
            .split_whitespace()
            .map(|field| field.parse().unwrap_or(0.0))
            .collect();
        let field = |i: usize| fields.get(i).copied().unwrap_or(0.0);
        Usage {
            cpu_seconds: (field(11) + field(12)) / TICKS,
            page_faults: field(7),
        }
    }

    /// The usage since `earlier`, divided by `steps`.
    pub fn since(self, earlier: Usage, steps: usize) -> Usage {
        Usage {
            cpu_seconds: (self.cpu_seconds - earlier.cpu_seconds) / steps as f64,
            page_faults: (self.page_faults - earlier.page_faults) / steps as f64,
        }
    }
}
