/* How the bands of a clip stand and move: the profile and the outline; the sums of profile.py and outline.py. */

#pragma once

#include <math.h>

#include "form.h"

/* Band energies of half overlapping frames: the even ones stand in the sums, the odd ones in rows of their own. */
INLINE const float *energy(const struct slab *slab, long half)
{
    return half % 2 ? slab->odd + half / 2 * BANDS : slab->sums + half / 2 * SUMS + SUMS - BANDS;
}

/* Relative log energies of the bands, then modulations: real parts, then imaginary ones. */
FAST void tm_profile(const struct form *form, const struct slab *slab, float *out)
{
    double sums[BANDS] = {0}, wide[WIDE] = {0}, turned[WIDE][2 * BEATS] = {{0}}, mean = 0, middle = 0;
    for (long half = 0; half < 2 * slab->frames; half++) {
        const float *from = energy(slab, half), *beat = form->beats + half * 2 * BEATS;
        for (long band = 0; band < BANDS; band++)
            sums[band] += from[band];
        for (long band = 0; band < WIDE; band++) {
            const float *part = from + band * (BANDS / WIDE);
            double of = (part[0] + part[1]) + (part[2] + part[3]);
            for (long n = 0; n < 2 * BEATS; n++)
                turned[band][n] += of * beat[n];
        }
    }
    for (long band = 0; band < BANDS; band++) {
        mean += sums[band] / BANDS;
        wide[band / (BANDS / WIDE)] += sums[band];
    }
    for (long n = 0; n < BANDS + 2 * WIDE * BEATS; n++)
        out[n] = (float)UNKNOWN;
    if (mean > 0) {
        double logs[BANDS];
        for (long band = 0; band < BANDS; band++) {
            logs[band] = log(sums[band] / mean + form->profile_floor);
            middle += logs[band] / BANDS;
        }
        for (long band = 0; band < BANDS; band++)
            out[band] = (float)((logs[band] - middle) * form->shape_weight);
    }
    for (long beat = 0; beat < BEATS; beat++) {
        double re = 0, im = 0;
        for (long band = 0; band < WIDE; band++) {
            re += turned[band][beat];
            im += turned[band][BEATS + beat];
        }
        double size = larger(sqrt(re * re + im * im), 1e-30);
        for (long band = 0; band < WIDE; band++) {
            double x = turned[band][beat], y = turned[band][BEATS + beat];
            if (wide[band] <= 0)
                continue;
            double scale = form->beat_weight / (size * wide[band]);
            out[BANDS + beat * WIDE + band] = (float)((x * re + y * im) * scale);
            out[BANDS + (BEATS + beat) * WIDE + band] = (float)((y * re - x * im) * scale);
        }
    }
}

/* How many cells the outline of so many samples has. */
INLINE long cells_of(const struct form *form, long samples)
{
    double seconds = smaller((double)samples / form->rate, form->longest_seconds);
    long cells = (long)ceil(seconds / form->cell_seconds - 1e-9);
    return cells > 1 ? cells : 1;
}

/* Write the cells of the outline; `running` has room for `2 x frames + 1` sums, `cells` for all cells and one. */
FAST void tm_outline(const struct form *form, const struct slab *slab, double *running, double *cells, int8_t *out)
{
    long halves = 2 * slab->frames, count = cells_of(form, slab->count);
    double hop = (double)form->frame.length / 2 / form->rate, energies = 0;
    memset(running, 0, SIDES * sizeof(double));
    for (long half = 0; half < halves; half++) {
        const float *from = energy(slab, half);
        for (long side = 0; side < SIDES; side++)
            running[(half + 1) * SIDES + side] = running[half * SIDES + side] + (from[2 * side] + from[2 * side + 1]);
    }
    for (long cell = 0; cell <= count; cell++) { /* a frame stands for the hop about its middle */
        double at = smaller(larger((double)cell * (form->cell_seconds / hop) - 0.5, 0), (double)halves);
        long whole = (long)at < halves - 1 ? (long)at : halves - 1;
        const double *from = running + whole * SIDES;
        for (long side = 0; side < SIDES; side++)
            cells[cell * SIDES + side] = from[side] + (from[SIDES + side] - from[side]) * (at - (double)whole);
    }
    memset(running, 0, SIDES * sizeof(double));
    for (long cell = 0; cell < count; cell++)
        for (long side = 0; side < SIDES; side++) {
            double *at = cells + cell * SIDES + side;
            *at = sqrt(sqrt(larger(at[SIDES] - at[0], 0)));
        }
    long slow = (long)form->slow_cells / 2;
    double sums[SIDES] = {0};
    for (long cell = 0; cell < (slow < count ? slow : count); cell++)
        for (long side = 0; side < SIDES; side++)
            sums[side] += cells[cell * SIDES + side];
    for (long cell = 0; cell < count; cell++) {
        long first = cell - slow > 0 ? cell - slow : 0, stop = cell + slow + 1 < count ? cell + slow + 1 : count;
        for (long side = 0; side < SIDES; side++) {
            if (cell + slow < count)
                sums[side] += cells[(cell + slow) * SIDES + side];
            if (cell - slow - 1 >= 0)
                sums[side] -= cells[(cell - slow - 1) * SIDES + side];
            double less = cells[cell * SIDES + side] - sums[side] / (double)(stop - first);
            running[cell * SIDES + side] = less;
            energies += less * less;
        }
    }
    double scale = energies > 0 ? form->outline_step / sqrt(larger(energies, 1e-30) / (double)(count * SIDES)) : 0;
    for (long n = 0; n < count * SIDES; n++) {
        double cell = running[n] * scale;
        out[n] = (int8_t)__builtin_rint(cell < -127 ? -127 : cell > 127 ? 127 : cell);
    }
}
