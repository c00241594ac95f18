/* How much of a clip is a steady tone at a mains frequency; the sums of hum.py. */

#pragma once

#include <math.h>

#include "form.h"

/* Room for one clip at a time. */
struct hum_room {
    float *segments; /* (LANES, 2 x size) */
    float *window;   /* (size,): of segments of `windowed` samples */
    float *lines;    /* (4, segments): level and prominence at each mains frequency, as powers */
    float *power;    /* (frames,) */
    lanes *scratch;
    long windowed;
};

/* A window of any length, scaled so that the power of a tone sums to its own. */
static void make_window(struct hum_room *room, long length, long size)
{
    double squares = 0;
    if (room->windowed == length)
        return;
    for (long n = 0; n < length; n++) {
        double w = 0.5 - 0.5 * cos(2 * M_PI * (double)(n + 1) / (double)(length + 1));
        room->window[n] = (float)w;
        squares += w * w;
    }
    float scale = (float)sqrt(2 / squares / (double)(2 * size));
    for (long n = 0; n < length; n++)
        room->window[n] *= scale;
    room->windowed = length;
}

/* The power of a line at `hz` in one segment, and that beside it as if it were as wide; `power` has a lane a segment. */
INLINE void line(const struct form *form, const lanes *power, int lane, double seconds, double hz, float *found)
{
    double width = larger(form->line_hz, 2.0 / seconds), bin_hz = form->rate / (double)form->step / (2.0 * (double)form->size);
    double on = 0, beside = 0;
    long ons = 0, besides = 0;
    for (long k = 0; k < form->used; k++) {
        double away = fabs((double)k * bin_hz - hz);
        if (away <= width) {
            on += power[k][lane];
            ons++;
        } else if (away > width + form->beside_low_hz && away <= width + form->beside_high_hz &&
                   (double)k * bin_hz > form->lowest_hz) {
            beside += power[k][lane];
            besides++;
        }
    }
    found[0] = (float)larger(on, form->line_floor);
    found[1] = found[0] / (float)larger(beside / (double)(besides ? besides : 1) * (double)ons, form->line_floor);
}

/* The median of numbers in decibels. */
static double median_db(float *x, long count)
{
    float upper = nth(x, count, count / 2), lower = count % 2 ? upper : nth(x, count, count / 2 - 1);
    return 5 * (log10(upper) + log10(lower));
}

/* Cut the slow signal into windowed segments and keep the lines of each; returns how many there are. */
FAST long tm_lines(const struct form *form, const struct slab *slab, struct hum_room *room, long most)
{
    long size = form->size, samples = slab->count / form->step, length = samples < size ? samples : size;
    long count = samples / size ? samples / size : 1, half = size;
    if (length < size / 8)
        return 0;
    make_window(room, length, size);
    lanes *re = room->scratch, *im = re + half + LANES, *power = im + half + LANES;
    for (long first = 0; first < count; first += LANES) {
        const float *starts[LANES];
        long some = count - first < LANES ? count - first : LANES;
        for (long lane = 0; lane < LANES; lane++) {
            float *to = room->segments + lane * 2 * size, sum = 0;
            const float *from = slab->slow + (first + lane) * size;
            starts[lane] = to;
            memset(to, 0, (size_t)(2 * size) * sizeof(float));
            if (lane >= some)
                continue;
            double total = 0;
            for (long n = 0; n < length; n++)
                total += from[n];
            sum = (float)(total / (double)length);
            for (long n = 0; n < length; n++)
                to[n] = (from[n] - sum) * room->window[n];
        }
        load(starts, form->segment.window, 2 * size, re, im);
        transform(re, im, half, form->segment.turns);
        powers(re, im, half, form->segment.circle, form->segment.place, power);
        for (int lane = 0; lane < some; lane++)
            for (int mains = 0; mains < 2; mains++) {
                float found[2];
                line(form, power, lane, (double)length * (double)form->step / form->rate, form->mains_hz[mains], found);
                room->lines[2 * mains * most + first + lane] = found[0];
                room->lines[(2 * mains + 1) * most + first + lane] = found[1];
            }
    }
    return count;
}

/* How far the band of the mains falls in the quieter moments of the clip. */
FAST double tm_steadiness(const struct form *form, const struct slab *slab, float *power)
{
    long length = form->frame.length / form->step, full = slab->count / form->frame.length;
    full = full ? full : 1;
    double offset = 0;
    const float *cosines = form->tones, *sines = cosines + length;
    float turned[2] = {0, 0};
    for (long n = 0; n < length; n++) {
        turned[0] += cosines[n];
        turned[1] += sines[n];
    }
    for (long n = 0; n < full * length; n++)
        offset += slab->slow[n];
    float mean = (float)(offset / (double)(full * length));
    for (long frame = 0; frame < full; frame++) {
        lanes none = {0}, real = none, turn = none;
        const float *x = slab->slow + frame * length;
        for (long n = 0; n < length; n += LANES) {
            lanes v = *(const loose *)(x + n);
            real += v * *(const loose *)(cosines + n);
            turn += v * *(const loose *)(sines + n);
        }
        float re = 0, im = 0;
        for (int lane = 0; lane < LANES; lane++) {
            re += real[lane];
            im += turn[lane];
        }
        re -= mean * turned[0];
        im -= mean * turned[1];
        float both = re * re + im * im;
        power[frame] = both > 1e-13f ? both : 1e-13f;
    }
    double quiet = 10 * log10(nth(power, full, (full - 1) / 4));
    return quiet - median_db(power, full);
}

static void hum(const struct form *form, const struct slab *slab, struct hum_room *room, long most, double *out)
{
    long count = tm_lines(form, slab, room, most);
    out[HUM] = out[HUM_PROMINENCE] = out[HUM_STEADINESS] = UNKNOWN;
    for (int mains = 0; count && mains < 2; mains++) {
        double level = median_db(room->lines + 2 * mains * most, count);
        double prominence = median_db(room->lines + (2 * mains + 1) * most, count);
        if (mains && prominence <= out[HUM_PROMINENCE])
            continue;
        out[HUM] = level - out[LEVEL];
        out[HUM_PROMINENCE] = prominence;
    }
    if (count)
        out[HUM_STEADINESS] = tm_steadiness(form, slab, room->power);
}
