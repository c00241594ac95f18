/* The inner loops of the signal measures: spectra, block levels and sums that numpy needs several passes over memory for.

Built by hatch_build.py when the package is installed, called by kernel.py, which does the same with numpy where this is
not built. It allocates only scratch, knows no thresholds and no file. Every length is checked by the caller.
*/

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "c/sums.h"
#include "c/transform.h"

/* Power spectra of windowed frames, `(rows, bins)`, and their weighted sums over bands, `(rows, bands)`.

   A frame starts every `hop` samples and is `length` long, a power of two and at least 16. `edges` are `bands` pairs,
   `weights` those of the bins of one band after the other. Returns 0, or 1 when there is no memory. */
FAST int tm_powers(const float *samples, long rows, long hop, long length, const float *window, const float *turns,
                    const float *circle, const int32_t *place, long bins, float *out, const int64_t *edges,
                    const float *weights, long bands, float *sums)
{
    long half = length / 2, held = half + LANES;
    lanes *scratch = aligned_alloc(64, (size_t)(3 * held * sizeof(lanes) + 63) / 64 * 64);
    float *zeros = calloc((size_t)length, sizeof(float));
    if (scratch == NULL || zeros == NULL) {
        free(scratch);
        free(zeros);
        return 1;
    }
    lanes *re = scratch, *im = scratch + held, *power = scratch + 2 * held;
    memset(power, 0, (size_t)held * sizeof(lanes));
    for (long row = 0; row < rows; row += LANES) {
        long some = rows - row < LANES ? rows - row : LANES;
        const float *starts[LANES];
        for (int lane = 0; lane < LANES; lane++)
            starts[lane] = lane < some ? samples + (row + lane) * hop : zeros;
        load(starts, window, length, re, im);
        transform(re, im, half, turns);
        powers(re, im, half, circle, place, power);
        const float *weight = weights;
        for (long band = 0; band < bands; band++) {
            lanes sum = summed(power, edges[2 * band], edges[2 * band + 1], weight);
            weight += edges[2 * band + 1] - edges[2 * band];
            for (long lane = 0; lane < some; lane++)
                sums[(row + lane) * bands + band] = sum[lane];
        }
        for (long k = 0; k < bins; k += LANES) {
            lanes tile[LANES];
            memcpy(tile, power + k, sizeof tile);
            transpose(tile);
            for (long lane = 0; lane < some; lane++) {
                float *to = out + (row + lane) * bins + k;
                if (k + LANES <= bins)
                    *(loose *)to = tile[lane];
                else
                    memcpy(to, &tile[lane], (size_t)(bins - k) * sizeof(float));
            }
        }
    }
    free(scratch);
    free(zeros);
    return 0;
}

/* Largest, smallest, mean sample and mean square of each block; the block size is a multiple of 8. */
FAST void tm_levels(const float *samples, long blocks, long size, float *high, float *low, float *mean, float *square)
{
    for (long block = 0; block < blocks; block++, samples += size) {
        float most[LANES], least[LANES];
        lanes sum = *(const loose *)samples * 0.0f, energy = sum;
        memcpy(most, samples, sizeof most);
        memcpy(least, samples, sizeof least);
        for (long n = 0; n < size; n += LANES) {
            lanes x = *(const loose *)(samples + n);
            for (int lane = 0; lane < LANES; lane++) {
                most[lane] = samples[n + lane] > most[lane] ? samples[n + lane] : most[lane];
                least[lane] = samples[n + lane] < least[lane] ? samples[n + lane] : least[lane];
            }
            sum += x;
            energy += x * x;
        }
        float top = most[0], bottom = least[0], total = 0, power = 0;
        for (int lane = 0; lane < LANES; lane++) {
            top = most[lane] > top ? most[lane] : top;
            bottom = least[lane] < bottom ? least[lane] : bottom;
            total += sum[lane];
            power += energy[lane];
        }
        high[block] = top;
        low[block] = bottom;
        mean[block] = total / (float)size;
        square[block] = power / (float)size;
    }
}

/* Mean of every `step` samples, a multiple of 8. */
FAST void tm_means(const float *samples, long count, long step, float *out)
{
    for (long n = 0; n < count; n++, samples += step) {
        lanes sum = *(const loose *)samples;
        for (long k = LANES; k < step; k += LANES)
            sum += *(const loose *)(samples + k);
        out[n] = (((sum[0] + sum[1]) + (sum[2] + sum[3])) + ((sum[4] + sum[5]) + (sum[6] + sum[7]))) / (float)step;
    }
}

/* Sum of the chosen rows of each run of rows, `(runs, width)`, which the caller has filled with zeros. */
FAST void tm_chosen(const float *rows, const uint8_t *chosen, const int64_t *first, long runs, long count, long width,
                    float *out)
{
    for (long run = 0; run < runs; run++, out += width) {
        long stop = run + 1 < runs ? first[run + 1] : count;
        for (long row = first[run]; row < stop; row++)
            if (chosen[row]) {
                const float *from = rows + row * width;
                for (long k = 0; k < width; k++)
                    out[k] += from[k];
            }
    }
}

/* 16-bit samples as floats, 1.0 at full scale. */
FAST void tm_floats(const int16_t *samples, long count, float *out)
{
    for (long n = 0; n < count; n++)
        out[n] = (float)samples[n] * (1.0f / 32768.0f);
}

/* At each place of each row the median of the row from there on, by insertion from the end; `sorted` is scratch. */
void tm_medians_from(const float *rows, long count, long width, float *sorted, float *out)
{
    for (long row = 0; row < count; row++, rows += width, out += width)
        for (long place = width - 1, held = 0; place >= 0; place--) {
            float value = rows[place];
            long at = held++;
            for (; at > 0 && sorted[at - 1] > value; at--)
                sorted[at] = sorted[at - 1];
            sorted[at] = value;
            out[place] = (sorted[held / 2] + sorted[(held - 1) / 2]) * 0.5f;
        }
}

/* How alike the outlines of each pair are where they overlap best: `sides` numbers of a byte's size a cell, cells of clip
   k from first[k] to first[k + 1]; `energy` is the running sum of the squares of all cells, from 0 on. A lag counts when
   the overlap is at least half of the shorter. */
FAST void tm_outlines(const int16_t *cells, const int64_t *first, const int64_t *energy, long sides,
                      const int64_t *pairs, long count, float *out)
{
    for (long pair = 0; pair < count; pair++) {
        int64_t a = first[pairs[2 * pair]], b = first[pairs[2 * pair + 1]];
        int size_a = (int)(first[pairs[2 * pair] + 1] - a), size_b = (int)(first[pairs[2 * pair + 1] + 1] - b);
        int least = ((size_a < size_b ? size_a : size_b) + 1) / 2;
        float best = 0;
        for (int lag = least - size_a; lag <= size_b - least; lag++) {
            int start = lag < 0 ? -lag : 0, stop = size_a < size_b - lag ? size_a : size_b - lag;
            const int16_t *one = cells + (a + start) * sides, *other = cells + (b + start + lag) * sides;
            int length = (stop - start) * (int)sides, sum = 0;
            for (int n = 0; n < length; n++)
                sum += (int)one[n] * other[n];
            float own = (float)(energy[a + stop] - energy[a + start]);
            float theirs = (float)(energy[b + stop + lag] - energy[b + start + lag]);
            if (sum > 0 && own > 0 && theirs > 0) {
                float alike = (float)sum / own * ((float)sum / theirs);
                best = alike > best ? alike : best;
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
