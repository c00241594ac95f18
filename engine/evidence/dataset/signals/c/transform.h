/* Real transforms of many frames side by side, and the power of their bins; included by the C files of the measures. */

#pragma once

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define LANES 8 /* frames that are transformed side by side: each step of the transform is one vector operation */

#if defined(__x86_64__) && defined(__linux__) && defined(__GNUC__) && !defined(__clang__)
#define FAST __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define FAST
#endif
#define INLINE static inline __attribute__((always_inline))

typedef float lanes __attribute__((vector_size(4 * LANES)));
typedef float loose __attribute__((vector_size(4 * LANES), aligned(4))); /* may stand anywhere in memory */

/* Turn eight rows of eight numbers into eight columns. */
INLINE void transpose(lanes *r)
{
    lanes a[LANES], b[LANES];
    for (int i = 0; i < 4; i++) {
        a[2 * i] = __builtin_shufflevector(r[2 * i], r[2 * i + 1], 0, 8, 2, 10, 4, 12, 6, 14);
        a[2 * i + 1] = __builtin_shufflevector(r[2 * i], r[2 * i + 1], 1, 9, 3, 11, 5, 13, 7, 15);
    }
    for (int i = 0; i < 2; i++)
        for (int j = 0; j < 2; j++) {
            b[4 * i + j] = __builtin_shufflevector(a[4 * i + j], a[4 * i + j + 2], 0, 1, 8, 9, 4, 5, 12, 13);
            b[4 * i + j + 2] = __builtin_shufflevector(a[4 * i + j], a[4 * i + j + 2], 2, 3, 10, 11, 6, 7, 14, 15);
        }
    for (int i = 0; i < 4; i++) {
        r[i] = __builtin_shufflevector(b[i], b[i + 4], 0, 1, 2, 3, 8, 9, 10, 11);
        r[i + 4] = __builtin_shufflevector(b[i], b[i + 4], 4, 5, 6, 7, 12, 13, 14, 15);
    }
}

/* Transform in place, decimating in frequency by four, at the end by two where needed; the order is then permuted. */
INLINE void transform(lanes *restrict re, lanes *restrict im, long points, const float *restrict turns)
{
    long length = points;
    for (; length >= 4; length /= 4) {
        long quarter = length / 4;
        for (long base = 0; base < points; base += length) {
            const float *t = turns;
            for (long j = base; j < base + quarter; j++, t += 6) {
                lanes ar = re[j], ai = im[j], br = re[j + quarter], bi = im[j + quarter];
                lanes cr = re[j + 2 * quarter], ci = im[j + 2 * quarter];
                lanes dr = re[j + 3 * quarter], di = im[j + 3 * quarter];
                lanes pr = ar + cr, pi = ai + ci, qr = ar - cr, qi = ai - ci;
                lanes sr = br + dr, si = bi + di, ur = br - dr, ui = bi - di;
                lanes yr = qr + ui, yi = qi - ur, zr = pr - sr, zi = pi - si, wr = qr - ui, wi = qi + ur;
                re[j] = pr + sr;
                im[j] = pi + si;
                re[j + quarter] = yr * t[0] - yi * t[1];
                im[j + quarter] = yr * t[1] + yi * t[0];
                re[j + 2 * quarter] = zr * t[2] - zi * t[3];
                im[j + 2 * quarter] = zr * t[3] + zi * t[2];
                re[j + 3 * quarter] = wr * t[4] - wi * t[5];
                im[j + 3 * quarter] = wr * t[5] + wi * t[4];
            }
        }
        turns += 6 * quarter;
    }
    if (length == 2)
        for (long j = 0; j < points; j += 2) {
            lanes ar = re[j], ai = im[j];
            re[j] = ar + re[j + 1];
            im[j] = ai + im[j + 1];
            re[j + 1] = ar - re[j + 1];
            im[j + 1] = ai - im[j + 1];
        }
}

/* Window the frames and lay even and odd samples side by side as one complex signal of half the length. */
INLINE void load(const float *const *rows, const float *window, long length, lanes *restrict re, lanes *restrict im)
{
    for (long n = 0; n < length; n += LANES) {
        lanes tile[LANES], w = *(const loose *)(window + n);
        for (int lane = 0; lane < LANES; lane++)
            tile[lane] = *(const loose *)(rows[lane] + n) * w;
        transpose(tile);
        for (int i = 0; i < LANES / 2; i++) {
            re[n / 2 + i] = tile[2 * i];
            im[n / 2 + i] = tile[2 * i + 1];
        }
    }
}

/* The power of the real frames from the spectrum of their complex halves; the offset (two bins) left out. */
INLINE void powers(const lanes *re, const lanes *im, long half, const float *circle, const int32_t *place, lanes *power)
{
    for (long k = 0; k <= half / 2; k++) {
        long other = place[k ? half - k : 0], own = place[k];
        lanes zr = re[own], zi = im[own], yr = re[other], yi = im[other];
        lanes er = zr + yr, ei = zi - yi, or = zi + yi, oi = yr - zr;
        float c = circle[2 * k], s = circle[2 * k + 1];
        lanes tr = or * c + oi * s, ti = oi * c - or * s;
        lanes ar = er + tr, ai = ei + ti, br = er - tr, bi = ei - ti;
        power[k] = (ar * ar + ai * ai) * 0.25f;
        power[half - k] = (br * br + bi * bi) * 0.25f;
    }
    power[0] = power[1] = power[0] * 0.0f;
}

/* Four sums at a time: one alone waits for itself. */
INLINE lanes summed(const lanes *power, long start, long stop, const float *weights)
{
    lanes none = {0}, a = none, b = none, c = none, d = none;
    long k = start;
    for (; k + 4 <= stop; k += 4, weights += 4) {
        a += power[k] * weights[0];
        b += power[k + 1] * weights[1];
        c += power[k + 2] * weights[2];
        d += power[k + 3] * weights[3];
    }
    for (; k < stop; k++)
        a += power[k] * *weights++;
    return (a + b) + (c + d);
}
