//! Memory that runs out is a `MemoryError`, not the end of the interpreter.
//!
//! Rust's collections ask for memory in a way that cannot fail: where the system has none, the process is aborted. So a
//! call begins only while a reserve is whole, and takes from it where the system gives nothing any more. The call still
//! does what it was asked; the next one raises unless the reserve can be filled again. What may be larger than the
//! reserve is asked for beforehand ([`crate::buffers::ensure_memory`]).
#![expect(unsafe_code, reason = "an allocator")]

use crate::buffers::no_memory;
use pyo3::prelude::*;
use std::alloc::{GlobalAlloc, Layout, System};
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

/// The reserve, which is address space alone until it is used. The largest piece that a collection asks for at once:
/// the table of a store's shard doubles to this at about 100,000 entries, so with millions in the store.
const RESERVE: Layout = match Layout::from_size_align(8 << 20, 16) {
    Ok(layout) => layout,
    Err(_) => panic!("a size of memory"),
};

#[global_allocator]
static ALLOCATOR: Reserving = Reserving { reserve: AtomicPtr::new(ptr::null_mut()) };

struct Reserving {
    /// Null where it was used, or was never had.
    reserve: AtomicPtr<u8>,
}

impl Reserving {
    /// Gives the reserve back to the system; whether there was one.
    fn spend(&self) -> bool {
        let reserve = self.reserve.swap(ptr::null_mut(), Ordering::AcqRel);
        if reserve.is_null() {
            return false;
        }
        // SAFETY: it came from this allocator with this layout, and the swap made it ours alone.
        unsafe { System.dealloc(reserve, RESERVE) };
        true
    }

    fn fill(&self) -> bool {
        // SAFETY: the layout has a size.
        let reserve = unsafe { System.alloc(RESERVE) };
        if reserve.is_null() {
            return false;
        }
        let kept =
            self.reserve.compare_exchange(ptr::null_mut(), reserve, Ordering::AcqRel, Ordering::Acquire);
        if kept.is_err() {
            // SAFETY: as in `spend`; another thread was faster.
            unsafe { System.dealloc(reserve, RESERVE) };
        }
        true
    }
}

// SAFETY: all memory is the system allocator's, and what it promises holds.
unsafe impl GlobalAlloc for Reserving {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as the caller promises.
        let memory = unsafe { System.alloc(layout) };
        if memory.is_null() && self.spend() {
            // SAFETY: as the caller promises.
            return unsafe { System.alloc(layout) };
        }
        memory
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as the caller promises.
        let memory = unsafe { System.alloc_zeroed(layout) };
        if memory.is_null() && self.spend() {
            // SAFETY: as the caller promises.
            return unsafe { System.alloc_zeroed(layout) };
        }
        memory
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: as the caller promises.
        let larger = unsafe { System.realloc(memory, layout, size) };
        if larger.is_null() && self.spend() {
            // SAFETY: as the caller promises; where it failed, the old memory is as it was.
            return unsafe { System.realloc(memory, layout, size) };
        }
        larger
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(memory, layout) };
    }
}

/// Whether the reserve is used up.
#[inline]
pub(crate) fn is_short() -> bool {
    ALLOCATOR.reserve.load(Ordering::Relaxed).is_null()
}

/// Fills the reserve again where it was used.
///
/// # Errors
/// `MemoryError` where the system does not have that much: nothing has been done then.
#[inline]
pub(crate) fn ensure_reserve() -> PyResult<()> {
    if is_short() && !ALLOCATOR.fill() {
        return Err(no_memory(RESERVE.size()));
    }
    Ok(())
}
