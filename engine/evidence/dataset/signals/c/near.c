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
