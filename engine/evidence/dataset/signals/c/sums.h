/* The sums of the content hash (content_hash.py); included by the C files that hash. */

#pragma once

#include "transform.h"

#define PAIR(lane) (uint64_t)(uint32_t)(one[n] + k[n + 4 * lane]) * (uint32_t)(two[n] + k[n + 4 * lane + 512])

/* Of each block of 1024 words and each of four keys (shifted by four words) the sum of the products of each word of the
   first half with that of the second, the key added to each: (blocks, 4), modulo 2^64. */
FAST static void block_sums(const uint32_t *words, long blocks, const uint32_t *restrict k, uint64_t *restrict out)
{
    for (long block = 0; block < blocks; block++, words += 1024, out += 4) {
        const uint32_t *one = words, *two = words + 512;
        uint64_t a = 0, b = 0, c = 0, d = 0;
        for (long n = 0; n < 512; n++) {
            a += PAIR(0);
            b += PAIR(1);
            c += PAIR(2);
            d += PAIR(3);
        }
        out[0] = a;
        out[1] = b;
        out[2] = c;
        out[3] = d;
    }
}
