/* The accessors of device memory, on plain memory. */
#include <oct/io.h>

#include "tests/kernel/support.h"

#include <oct/string.h>

#define SIZE 64

static _Alignas(8) uint8_t device[SIZE];
static uint8_t copy[SIZE], expected[SIZE];

static void reset(void)
{
    for (size_t i = 0; i < SIZE; i++)
        device[i] = expected[i] = (uint8_t)(0x80 + i);
}

static bool as_expected(void)
{
    return memcmp(device, expected, SIZE) == 0;
}

TEST(io_reads)
{
    reset();
    EXPECT(readb(device + 3) == 0x83 && readb_relaxed(device + 3) == 0x83);
    EXPECT(readw(device + 6) == 0x8786 && readw_relaxed(device + 6) == 0x8786);
    EXPECT(readl(device + 4) == 0x87868584);
    EXPECT(readl_relaxed(device + 4) == 0x87868584);
    EXPECT(readq(device + 8) == 0x8f8e8d8c8b8a8988);
    EXPECT(readq_relaxed(device + 8) == 0x8f8e8d8c8b8a8988);
    EXPECT(as_expected());
}

/* Each writes its width and not a byte more. */
TEST(io_writes)
{
    static const uint64_t value = 0x1122334455667788;
    for (size_t width = 1; width <= 8; width *= 2) {
        for (unsigned relaxed = 0; relaxed < 2; relaxed++) {
            reset();
            memcpy(expected + 16, &value, width);
            if (width == 1)
                (relaxed ? writeb_relaxed : writeb)((uint8_t)value,
                                                    device + 16);
            else if (width == 2)
                (relaxed ? writew_relaxed : writew)((uint16_t)value,
                                                    device + 16);
            else if (width == 4)
                (relaxed ? writel_relaxed : writel)((uint32_t)value,
                                                    device + 16);
            else
                (relaxed ? writeq_relaxed : writeq)(value, device + 16);
            EXPECT(as_expected());
        }
    }
}

/* Every alignment of both sides, and every short length. */
TEST(io_copies)
{
    for (size_t at = 0; at < 8; at++)
        for (size_t from = 0; from < 4; from++)
            for (size_t n = 0; n <= 20; n++) {
                reset();
                for (size_t i = 0; i < SIZE; i++)
                    copy[i] = (uint8_t)(i * 7);
                memcpy_toio(device + at, copy + from, n);
                memcpy(expected + at, copy + from, n);
                EXPECT(as_expected());
                memset(copy, 0, SIZE);
                memcpy_fromio(copy + from, device + at, n);
                EXPECT(memcmp(copy + from, expected + at, n) == 0);
                EXPECT(copy[from + n] == 0);
            }
}

TEST(io_fills)
{
    for (size_t at = 0; at < 8; at++)
        for (size_t n = 0; n <= 20; n++) {
            reset();
            memset_io(device + at, 0x1a5, n);
            memset(expected + at, 0xa5, n);
            EXPECT(as_expected());
        }
}
