/* The distance of the newest pattern in a ring to the most similar earlier one (the left discord distance).

   Source: the matrix profile's discord, Yeh et al., "Matrix Profile I", ICDM 2016, restricted to the past, so
   that it is causal, and without normalisation of the amplitude, so that an unusual amplitude is unusual.

   Earlier patterns are compared several at a time, each one's sum in its own lane and in its own order, so that
   the width of the processor's vectors changes no bit. */
#include "kernel.h"

#define LARGEST_RING 1024
#define LANES 8
#define CHECKED 4 /* elements after which it is looked whether any of the lanes can still be the nearest */

static f64 nearest_pair(const f64 *line, i64 filled) {
    f64 newest = line[filled - 1], before = line[filled - 2];
    f64 nearest[LANES];
    for (int lane = 0; lane < LANES; lane++) nearest[lane] = INFINITE;
    i64 end = 1, ends = filled - 2;
    for (; end + LANES <= ends; end += LANES) {
        for (int lane = 0; lane < LANES; lane++) {
            f64 first = newest - line[end + lane], second = before - line[end + lane - 1];
            f64 total = first * first + second * second;
            nearest[lane] = total < nearest[lane] ? total : nearest[lane];
        }
    }
    for (; end < ends; end++) {
        f64 first = newest - line[end], second = before - line[end - 1];
        nearest[0] = smaller(nearest[0], first * first + second * second);
    }
    for (int lane = 1; lane < LANES; lane++) nearest[0] = smaller(nearest[0], nearest[lane]);
    return nearest[0];
}

static f64 nearest_of_length(const f64 *line, i64 filled, i64 length) {
    const f64 *newest = line + filled - 1;
    f64 nearest = INFINITE;
    i64 end = length - 1, ends = filled - length;
    for (; end + LANES <= ends; end += LANES) {
        f64 total[LANES] = {0};
        int near = 1;
        for (i64 first = 0; first < length && near; first += CHECKED) {
            i64 last = first + CHECKED < length ? first + CHECKED : length;
            for (i64 offset = first; offset < last; offset++) {
                for (int lane = 0; lane < LANES; lane++) {
                    f64 difference = newest[-offset] - line[end + lane - offset];
                    total[lane] += difference * difference;
                }
            }
            near = 0;
            for (int lane = 0; lane < LANES; lane++) near |= total[lane] < nearest;
        }
        if (!near) continue;
        for (int lane = 0; lane < LANES; lane++) nearest = smaller(nearest, total[lane]);
    }
    for (; end < ends; end++) {
        f64 total = 0.0;
        for (i64 offset = 0; offset < length; offset++) {
            f64 difference = newest[-offset] - line[end - offset];
            total += difference * difference;
        }
        nearest = smaller(nearest, total);
    }
    return nearest;
}

/* Return the root mean square difference to the nearest earlier pattern; NaN when there is none without a gap.

   `newest` is the position of the newest element, which may exceed the ring's size; `filled`, how many elements
   the ring holds; `length`, elements a pattern, at least 2. Patterns that overlap the newest one are not
   compared. */
f64 nearest_earlier_pattern(const f32 *ring, i64 size, i64 newest, i64 filled, i64 length) {
    if (filled < 2 * length) return MISSING;
    i64 at = newest % size;
    for (i64 offset = 0; offset < length; offset++) {
        f32 element = ring[(at - offset + size) % size];
        if (element != element) return MISSING;
    }
    f64 line[LARGEST_RING]; /* the ring from its oldest element on */
#ifdef _WIN32
    /* Windows grows a stack by the page; the compiler's own probe is in a library that the kernel goes without. */
    for (i64 place = LARGEST_RING - 1; place >= 0; place -= 256) *(volatile f64 *)&line[place] = 0.0;
#endif
    i64 oldest = (at - filled + 1 + size) % size, whole = filled < size - oldest ? filled : size - oldest;
    for (i64 place = 0; place < whole; place++) line[place] = ring[oldest + place];
    for (i64 place = whole; place < filled; place++) line[place] = ring[place - whole];
    f64 nearest = length == 2 ? nearest_pair(line, filled) : nearest_of_length(line, filled, length);
    return nearest == INFINITE ? MISSING : root(nearest / (f64)length);
}
