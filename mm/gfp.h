/* What a caller of an allocator allows, and what it wants. */
#pragma once

typedef unsigned gfp_t;

#define __GFP_ZERO 0x001u    /* fill with zeroes */
#define __GFP_NOWARN 0x002u  /* do not report a failure */
#define __GFP_WAIT 0x004u    /* may wait, and may have caches shrunk */
#define __GFP_NORETRY 0x008u /* shrink once, at most; rather fail */
#define __GFP_NOFAIL 0x010u  /* wait rather than fail; needs __GFP_WAIT */
#define __GFP_RESERVE 0x020u /* may use the reserve */
#define __GFP_DMA 0x040u     /* below DMA_LIMIT */
#define __GFP_HIGH 0x080u    /* also frames that the kernel does not map */
#define __GFP_ALL 0x0ffu

#define GFP_KERNEL __GFP_WAIT    /* the usual */
#define GFP_ATOMIC __GFP_RESERVE /* from an interrupt, or holding a lock */
#define GFP_NOWAIT 0u            /* like it, but leaves the reserve alone */
#define GFP_DMA                                                                \
    __GFP_DMA               /* for devices with short addresses; add           \
                               GFP_KERNEL to wait */
#define GFP_USER __GFP_WAIT /* for a user program, reached by the kernel */
#define GFP_HIGHUSER (__GFP_WAIT | __GFP_HIGH) /* for a user program only */
