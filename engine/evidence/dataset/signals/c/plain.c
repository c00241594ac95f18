/* Reads the one form of WAV that most data sets hold, 16-bit PCM in a canonical file, into memory that the caller has.

Called by plain_reader.py. What it accepts is what plain_wav.py accepts; anything else it leaves alone, read or not.
*/

#ifdef __unix__
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#endif

#include <stdio.h>

#include "sums.h"

enum { SIZE, RATE, CHANNELS, FRAMES, SOUNDING, TOLD, FACTS };
enum { HEADER = 44, MOST_CHANNELS = 8, MOST_HZ = 384000 };

static uint32_t number(const unsigned char *at, int bytes)
{
    uint32_t value = 0;
    for (int n = bytes - 1; n >= 0; n--)
        value = value << 8 | at[n];
    return value;
}

/* Whether the file is of this form; then what its header states. */
static int is_plain(const unsigned char *head, int64_t size, int64_t *facts)
{
    uint32_t channels = number(head + 22, 2), rate = number(head + 24, 4), align = number(head + 32, 2);
    uint32_t declared = number(head + 40, 4);
    if (memcmp(head, "RIFF", 4) || memcmp(head + 8, "WAVEfmt ", 8) || memcmp(head + 36, "data", 4))
        return 0;
    if (number(head + 16, 4) != 16 || number(head + 20, 2) != 1 || number(head + 34, 2) != 16)
        return 0;
    if ((int64_t)number(head + 4, 4) + 8 > size || !channels || channels > MOST_CHANNELS || !rate || rate > MOST_HZ)
        return 0;
    if (align != 2 * channels || number(head + 28, 4) != rate * align)
        return 0;
    if (!declared || declared % align || HEADER + (int64_t)declared > size)
        return 0;
    facts[RATE] = rate;
    facts[CHANNELS] = channels;
    facts[FRAMES] = declared / align;
    return 1;
}

/* What the content hash of the samples is taken over: form, sums of blocks, what is left and its length. */
static long told_of(const unsigned char *samples, const int64_t *facts, const uint32_t *keys, char *told)
{
    long size = (long)(facts[FRAMES] * facts[CHANNELS] * 2), blocks = size / 4096, rest = size % 4096;
    long at = sprintf(told, "%ld %ld", (long)facts[RATE], (long)facts[CHANNELS]);
    for (long block = 0; block < blocks; block++, at += 32) {
        uint64_t sums[4];
        block_sums((const uint32_t *)(samples + block * 4096), 1, keys, sums);
        memcpy(told + at, sums, sizeof sums);
    }
    memcpy(told + at, samples + size - rest, (size_t)rest);
    told[at + rest] = (char)(rest & 255);
    told[at + rest + 1] = (char)(rest >> 8);
    return at + rest + 2;
}

FAST static int sounding(const int16_t *samples, long count)
{
    int16_t any = 0;
    for (long n = 0; n < count; n++)
        any |= samples[n];
    return any != 0;
}

/* Read a file of at most `largest` bytes to `to`, where `room` bytes are. Returns 1 and its facts and what its hash is
   taken over, 0 where it is anything else, -1 where there is too little room: SIZE then says how much it takes. */
int tm_plain(const char *path, int64_t largest, unsigned char *to, int64_t room, const uint32_t *keys, int64_t *facts,
             char *told)
{
#if defined(__unix__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    struct stat status; /* asked before: to open a device may do something */
    if (stat(path, &status) || !S_ISREG(status.st_mode) || status.st_size < HEADER || status.st_size > largest)
        return 0;
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), answer = 0;
    if (file < 0)
        return 0;
    facts[SIZE] = HEADER;
    if (room < HEADER)
        answer = -1;
    else if (read(file, to, HEADER) == HEADER && is_plain(to, status.st_size, facts)) {
        facts[SIZE] = status.st_size;
        if (status.st_size > room)
            answer = -1;
        else if (read(file, to + HEADER, (size_t)(status.st_size - HEADER)) == status.st_size - HEADER)
            answer = 1;
    }
    close(file);
    if (answer > 0) {
        facts[SOUNDING] = sounding((const int16_t *)(to + HEADER), (long)(facts[FRAMES] * facts[CHANNELS]));
        facts[TOLD] = told_of(to + HEADER, facts, keys, told);
    }
    return answer;
#else
    (void)path, (void)largest, (void)to, (void)room, (void)keys, (void)facts, (void)told;
    return 0;
#endif
}
