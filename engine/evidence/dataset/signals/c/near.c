/* The inner loops of the search for near duplicates: the least numbers of long rows. */

#include <stdint.h>

#include "transform.h"

#define RUN 32

/* Of each row the places of its `count` least numbers and these, the least first; of equal ones the first come first. */
FAST void tm_least(const float *table, long rows, long columns, long count, int64_t *places, float *least)
{
    for (long row = 0; row < rows; row++, table += columns, places += count, least += count) {
        for (long rank = 0; rank < count; rank++) {
            places[rank] = -1;
            least[rank] = __FLT_MAX__;
        }
        for (long begin = 0; begin < columns; begin += RUN) {
            long end = begin + RUN < columns ? begin + RUN : columns;
            float worst = least[count - 1];
            int some = 0;
            if (end - begin == RUN)
                for (long n = 0; n < RUN; n++)
                    some |= table[begin + n] < worst;
            else
                some = 1;
            for (long n = begin; some && n < end; n++) {
                float value = table[n];
                if (!(value < least[count - 1]))
                    continue;
                long rank = count - 1;
                for (; rank > 0 && least[rank - 1] > value; rank--) {
                    least[rank] = least[rank - 1];
                    places[rank] = places[rank - 1];
                }
                least[rank] = value;
                places[rank] = n;
            }
        }
    }
}

#define TAPS 33        /* values of a correlation about its peak, from REACH before to REACH after */
#define REACH (TAPS / 2)
#define FRACTIONS 96   /* places between them at which it is interpolated, and room to fill vectors */

#define HELD 0.8f      /* share of the energy of one clip that the overlap holds, as in alignment.py */
#define FAINTEST 1e-4f /* and of the other: below it running sums say little */
#define SURE 0.998f     /* similarity at which no other lag is tried */
#define TOLD 0.85f     /* and which the other lag has to reach */

struct pair { /* as alignment.py reads it */
    float similarity, fraction, own, other, beside, sounding;
    int32_t lag;
};

/* The running sum of the energy of each row of complex numbers, from 0 on, as far as the row is long:
   (rows, points + 1). */
FAST void tm_running_energy(const float *signal, long rows, long points, const int64_t *lengths, float *out)
{
    for (long row = 0; row < rows; row++, signal += 2 * points, out += points + 1) {
        double sum = 0;
        out[0] = 0;
        for (long n = 0; n < points; n++) {
            if (n < lengths[row])
                sum += (double)(signal[2 * n] * signal[2 * n] + signal[2 * n + 1] * signal[2 * n + 1]);
            out[n + 1] = (float)sum;
        }
    }
}

/* The spectrum of the second of each pair times the conjugate of that of the first: (count, points). */
FAST void tm_products(const float *spectra, long points, const int64_t *which, long count, float *restrict out)
{
    for (long pair = 0; pair < count; pair++, out += 2 * points) {
        const float *a = spectra + 2 * points * which[2 * pair], *b = spectra + 2 * points * which[2 * pair + 1];
        for (long n = 0; n < points; n++) {
            float re = b[2 * n] * a[2 * n] + b[2 * n + 1] * a[2 * n + 1];
            float im = b[2 * n + 1] * a[2 * n] - b[2 * n] * a[2 * n + 1];
            out[2 * n] = re;
            out[2 * n + 1] = im;
        }
    }
}

/* The highest power between two places, and where it is. */
INLINE float highest(const float *z, long start, long stop, long *place)
{
    float best = -1;
    for (long begin = start; begin < stop; begin += RUN) {
        long end = begin + RUN < stop ? begin + RUN : stop;
        int some = 0;
        for (long n = begin; n < end; n++)
            some |= z[2 * n] * z[2 * n] + z[2 * n + 1] * z[2 * n + 1] > best;
        for (long n = begin; some && n < end; n++) {
            float power = z[2 * n] * z[2 * n] + z[2 * n + 1] * z[2 * n + 1];
            if (power > best) {
                best = power;
                *place = n;
            }
        }
    }
    return best;
}

/* How many points a steady sound would last whose energy is as spread out as that between two points. */
INLINE float sounding(const float *energy, long begin, long end)
{
    float sum = energy[end] - energy[begin], spread = 0;
    for (long n = begin; n < end; n++)
        spread += (energy[n + 1] - energy[n]) * (energy[n + 1] - energy[n]);
    return spread > 0 ? sum * sum / spread : 0;
}

/* The lag at which the correlation is highest for the energies that overlap, of those at which the overlap holds nearly
   all of one clip: what was cut from the decay of a note lies there, and not where its onset would be. None: `points`. */
INLINE long relative(const float *z, long points, const float *energy_a, const float *energy_b, long long_a,
                     long long_b, long least)
{
    long found = points, most = long_b - least;
    float best = 0, whole_a = energy_a[long_a], whole_b = energy_b[long_b];
    for (long lag = least - long_a; lag <= most; lag++) {
        long begin = lag < 0 ? -lag : 0, end = long_a < long_b - lag ? long_a : long_b - lag;
        float own = energy_a[end] - energy_a[begin], other = energy_b[end + lag] - energy_b[begin + lag];
        if ((own < HELD * whole_a && other < HELD * whole_b) || own < FAINTEST * whole_a || other < FAINTEST * whole_b)
            continue;
        const float *at = z + 2 * (lag < 0 ? lag + points : lag);
        float power = at[0] * at[0] + at[1] * at[1];
        if (power > best * own * other) {
            best = power / (own * other);
            found = lag;
        }
    }
    return found;
}

/* How the second clip lies on the first about one lag, without what is told of likely copies alone. */
INLINE struct pair laid(const float *correlation, long points, long lag, const float *energy_a, const float *energy_b,
                        long long_a, long long_b, const float *turn, const float *weights, const float *fractions,
                        long used)
{
    float re[FRACTIONS] = {0}, im[FRACTIONS] = {0};
    for (long tap = 0; tap < TAPS; tap++) {
        long at = (lag + tap - REACH) % points;
        const float *z = correlation + 2 * (at < 0 ? at + points : at), *t = turn + 2 * tap;
        float x = z[0] * t[0] - z[1] * t[1], y = z[0] * t[1] + z[1] * t[0];
        for (long n = 0; n < FRACTIONS; n++) {
            re[n] += x * weights[tap * FRACTIONS + n];
            im[n] += y * weights[tap * FRACTIONS + n];
        }
    }
    long best = 0;
    float power = -1;
    for (long n = 0; n < used; n++)
        if (re[n] * re[n] + im[n] * im[n] > power) {
            power = re[n] * re[n] + im[n] * im[n];
            best = n;
        }
    long whole = (long)__builtin_rintf(fractions[best]);
    lag += whole;
    long begin = lag < 0 ? -lag : 0, end = long_a < long_b - lag ? long_a : long_b - lag;
    end = end > begin ? end : begin;
    float own = energy_a[end] - energy_a[begin], other = energy_b[end + lag] - energy_b[begin + lag];
    float height = __builtin_sqrtf(power), scale = __builtin_sqrtf(own * other);
    float similarity = scale > 0 ? height / scale : 0;
    similarity = similarity < 1 ? similarity : 1;
    return (struct pair){similarity, fractions[best] - (float)whole, own, other, height, 0, (int32_t)lag};
}

/* How the second clip of each pair lies on the first, by their correlation (count, points) at lag k (the second later by
   k), negative lags from its end. `which` are the rows of both clips in `energy` (clips, points + 1) and `lengths`;
   `turn` (TAPS, 2) moves the band to 0 Hz, `weights` (TAPS, FRACTIONS) interpolate at `fractions`, of which `used`. */
FAST void tm_peak_pairs(const float *correlation, long count, long points, const int64_t *which, const float *energy,
                   const int64_t *lengths, const float *turn, const float *weights, const float *fractions, long used,
                   float overlap, float telling, const int64_t *near, struct pair *out)
{
    for (long pair = 0; pair < count; pair++, correlation += 2 * points) {
        const float *energy_a = energy + which[2 * pair] * (points + 1);
        const float *energy_b = energy + which[2 * pair + 1] * (points + 1);
        long long_a = lengths[which[2 * pair]], long_b = lengths[which[2 * pair + 1]];
        long least = (long)(overlap * (float)(long_a < long_b ? long_a : long_b));
        long place = 0, below = 0, most = long_b - least, from = points + least - long_a;
        float top = highest(correlation, 0, most + 1 < points ? most + 1 : points, &place);
        if (highest(correlation, from > 0 ? from : 0, points, &below) > top)
            place = below;
        struct pair found = laid(correlation, points, place <= most ? place : place - points, energy_a, energy_b,
                                 long_a, long_b, turn, weights, fractions, used);
        long other_lag = found.similarity >= SURE ? points
                       : relative(correlation, points, energy_a, energy_b, long_a, long_b, least);
        if (other_lag != points) {
            struct pair other = laid(correlation, points, other_lag, energy_a, energy_b, long_a, long_b, turn, weights,
                                     fractions, used);
            if (other.similarity > found.similarity && other.similarity >= TOLD)
                found = other;
        }

        long lag = found.lag, begin = lag < 0 ? -lag : 0, end = long_a < long_b - lag ? long_a : long_b - lag;
        end = end > begin ? end : begin;
        float height = found.beside, beside = 1, sounds = 0;
        if (found.similarity >= telling) {
            float first = sounding(energy_a, begin, end), second = sounding(energy_b, begin + lag, end + lag);
            sounds = first < second ? first : second;
            beside = 0;
            for (long side = -1; side <= 1; side += 2)
                for (long step = near[0]; step < near[1]; step++) {
                    long at = (lag + side * step) % points;
                    const float *z = correlation + 2 * (at < 0 ? at + points : at);
                    float size = z[0] * z[0] + z[1] * z[1];
                    beside = size > beside ? size : beside;
                }
            beside = __builtin_sqrtf(beside) / height;
        }
        found.beside = beside;
        found.sounding = sounds;
        out[pair] = found;
    }
}

/* Every step-th sample of a filtered signal, of which `count` samples are known and the others zero: `taps` weights, a
   multiple of eight, the first of which lies `before` samples before the one that is made. As many are made at once as
   a vector has lanes: the lanes of each are then summed by turning rows into columns. */
FAST void tm_decimated(const float *samples, long count, const float *weights, long taps, long before, long step,
                       float *out, long made)
{
    for (long n = 0; n < made; n++) {
        long from = n * step - before;
        if (from >= 0 && n + LANES <= made && from + (LANES - 1) * step + taps <= count) {
            lanes rows[LANES] = {{0}};
            for (long k = 0; k < taps; k += LANES)
                for (int m = 0; m < LANES; m++)
                    rows[m] += *(const loose *)(samples + from + m * step + k) * *(const loose *)(weights + k);
            transpose(rows);
            *(loose *)(out + n) = ((rows[0] + rows[1]) + (rows[2] + rows[3])) + ((rows[4] + rows[5]) + (rows[6] + rows[7]));
            n += LANES - 1;
            continue;
        }
        float sum = 0;
        long first = from < 0 ? -from : 0, last = count - from < taps ? count - from : taps;
        for (long k = first; k < last; k++)
            sum += samples[from + k] * weights[k];
        out[n] = sum;
    }
}
