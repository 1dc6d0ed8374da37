//! Memory of large tables, in large pages where the system has them.
//!
//! The entries of a hash table are far apart, so nearly each one lies on a page of its
//! own. On pages of 4 KiB, finding out where that page is takes longer than to fetch
//! the entry; pages of 2 MiB are few enough to be remembered.

/// Zeros, touched when used.
pub fn zeros<T: Clone + From<u8>>(count: usize) -> Vec<T> {
    let zeros = vec![T::from(0); count];
    large(&zeros);
    zeros
}

/// Asks for large pages where a table is still untouched. Nothing but the speed depends
/// on the answer.
pub fn large<T>(table: &[T]) {
    #[cfg(target_os = "linux")]
    {
        const LARGE: usize = 1 << 21;
        let bytes = size_of_val(table);
        let start = table.as_ptr().cast::<u8>();
        let lead = start.align_offset(LARGE);
        if lead.saturating_add(LARGE) <= bytes {
            let length = (bytes - lead) & !(LARGE - 1);
            // SAFETY: the range is within the table; the advice leaves its values alone.
            unsafe {
                let start = start.add(lead).cast_mut().cast();
                libc::madvise(start, length, libc::MADV_HUGEPAGE);
            }
        }
    }
    #[cfg(not(target_os = "linux"))]
    let _ = table;
}
