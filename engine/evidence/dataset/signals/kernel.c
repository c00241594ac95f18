/* Inner loops for which numpy needs several passes over memory: outlines of pairs, sums of a hash, rounding.

Built by hatch_build.py with the C beside it when the package is installed, called by kernel.py. It allocates nothing, and
knows no thresholds and no file. Every length is checked by the caller.
*/

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "c/sums.h"
#include "c/transform.h"

/* A hash of the source that this library was made from. */
const char tm_source[] = TM_SOURCE;

#define CELL 8 /* numbers of a byte's size in a cell of an outline */
#define LAGS 4 /* that are tried at once, over whole runs of as many cells */

/* What two outlines have in common at `LAGS` lags in turn, over `runs` runs of cells. */
INLINE void common(const int16_t *a, const int16_t *b, long runs, int *sums)
{
    int s0 = 0, s1 = 0, s2 = 0, s3 = 0;
    for (long n = 0; n < runs * LAGS * CELL; n++) {
        s0 += (int)a[n] * b[n];
        s1 += (int)a[n] * b[n + CELL];
        s2 += (int)a[n] * b[n + 2 * CELL];
        s3 += (int)a[n] * b[n + 3 * CELL];
    }
    sums[0] = s0, sums[1] = s1, sums[2] = s2, sums[3] = s3;
}

/* How alike the outlines of each pair are where they overlap best: cells of clip k from first[k] to first[k + 1];
   `energy` is the running sum of the squares of all cells, from 0 on. A lag counts when the overlap is at least half of
   the shorter. `room` holds any two outlines and 7 * LAGS cells more, which are zero about them, so that no overlap has
   an end of its own. */
FAST void tm_outlines(const int16_t *cells, const int64_t *first, const int64_t *energy, const int64_t *pairs, long count,
                      int16_t *room, float *out)
{
    for (long pair = 0; pair < count; pair++) {
        int64_t a = first[pairs[2 * pair]], b = first[pairs[2 * pair + 1]];
        long size_a = (long)(first[pairs[2 * pair] + 1] - a), size_b = (long)(first[pairs[2 * pair + 1] + 1] - b);
        long least = ((size_a < size_b ? size_a : size_b) + 1) / 2, held = size_a + size_b + 7 * LAGS;
        int16_t *one = room, *other = room + (size_a + 3 * LAGS) * CELL;
        memset(room, 0, (size_t)(held * CELL) * sizeof *room);
        memcpy(one, cells + a * CELL, (size_t)(size_a * CELL) * sizeof *room);
        memcpy(other, cells + b * CELL, (size_t)(size_b * CELL) * sizeof *room);
        float best = 0;
        for (long lags = least - size_a; lags <= size_b - least; lags += LAGS) {
            long from = lags + LAGS - 1 < 0 ? -(lags + LAGS - 1) : 0, to = size_a < size_b - lags ? size_a : size_b - lags;
            int sums[LAGS];
            from -= from % LAGS;
            common(one + from * CELL, other + (from + lags) * CELL, (to - from + LAGS - 1) / LAGS, sums);
            for (long lag = lags; lag < lags + LAGS && lag <= size_b - least; lag++) {
                long start = lag < 0 ? -lag : 0, stop = size_a < size_b - lag ? size_a : size_b - lag;
                float own = (float)(energy[a + stop] - energy[a + start]), sum = (float)sums[lag - lags];
                float theirs = (float)(energy[b + stop + lag] - energy[b + start + lag]);
                if (sum > 0 && sum * sum > best * own * theirs)
                    best = sum / own * (sum / theirs);
            }
        }
        out[pair] = __builtin_sqrtf(best);
    }
}

/* The sums of blocks for content_hash.py. */
void tm_sums(const uint32_t *words, long blocks, const uint32_t *k, uint64_t *out)
{
    block_sums(words, blocks, k, out);
}

/* Floats of full scale 1.0 as 16-bit samples, halves to even, clipped; returns 1 where one is not finite. */
FAST int tm_rounded(const float *samples, long count, int16_t *out)
{
    uint32_t odd = 0;
    for (long n = 0; n < count; n++) {
        uint32_t bits;
        memcpy(&bits, samples + n, sizeof bits);
        odd |= (bits & 0x7f800000u) == 0x7f800000u;
        float x = samples[n] * 32768.0f;
        x = x < 32767.0f ? x : 32767.0f;
        x = x > -32768.0f ? x : -32768.0f;
        out[n] = (int16_t)(int32_t)__builtin_rintf(x);
    }
    return (int)odd;
}
