//! Asks the processor to fetch memory that will be needed soon.
#![allow(unsafe_code, reason = "the instruction has no safe name; it reads nothing, whatever the address")]

/// Begins to fetch the cache line at `address`, without waiting for it.
#[inline]
pub(crate) fn prefetch(address: *const u8) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a hint. It does not fault, and has no effect that a program could see, for any address (Intel SDM, PREFETCHh);
    // every x86-64 processor has SSE.
    unsafe {
        std::arch::x86_64::_mm_prefetch::<{ std::arch::x86_64::_MM_HINT_T0 }>(address.cast());
    }
    #[cfg(target_arch = "aarch64")]
    // SAFETY: a hint. It does not fault, and has no effect that a program could see, for any address (Arm ARM, PRFM).
    unsafe {
        std::arch::asm!("prfm pldl1keep, [{address}]", address = in(reg) address, options(nostack, preserves_flags, readonly));
    }
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    let _ = address;
}
