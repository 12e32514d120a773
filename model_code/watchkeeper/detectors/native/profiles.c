/* The series' rhythm: its mean by hour of the day and by hour of the week, and how far it is off.

   Every series has both profiles. The week's is believed where the series itself has shown that it forecasts
   better: over the last weeks its smoothed error was smaller by a margin. Until then, and for a series that has
   no weekly rhythm, the day's profile counts, which learns seven times as fast. */
#include "kernel.h"

#define RIVALRY_HOURS WEEK_HOURS /* hours that both profiles are compared over */

/* Compare the profiles over the hour that ended, when another one begins. */
void enter_hour(State *s, i64 hour_of_week) {
    if (hour_of_week == s->hour) return;
    if (s->hour_rows > 0) {
        s->rivalry_hours += 1;
        f64 weight = 1.0 / (f64)(s->rivalry_hours < RIVALRY_HOURS ? s->rivalry_hours : RIVALRY_HOURS);
        for (int profile = 0; profile < 2; profile++) {
            f64 error = s->hour_errors[profile] / (f64)s->hour_rows;
            s->profile_errors[profile] += (error - s->profile_errors[profile]) * weight;
        }
    }
    s->hour_rows = 0;
    s->hour_errors[0] = s->hour_errors[1] = 0.0;
    s->hour = hour_of_week;
    /* Known from an earlier week: the rows of this very hour say nothing of a weekly rhythm. */
    s->hour_is_known = s->week_rows[hour_of_week] > 0;
}

/* Write what the day's and what the week's profile expect; what is not known yet is replaced by the next best. */
void expected_by_profiles(const State *s, i64 hour_of_week, f64 *of_day, f64 *of_week) {
    i64 hour = hour_of_week % DAY_HOURS;
    *of_day = s->profile_rows[hour] > 0 ? s->profile[hour] : s->slow_mean;
    *of_week = s->hour_is_known > 0 ? s->week[hour_of_week] : *of_day;
}

/* Return whether the evidence of this hour is that of the week's profile. */
EXPORT int week_counts(const State *s, const Parameters *p) {
    if (!(s->hour_is_known > 0 && s->rivalry_hours >= RIVALRY_HOURS)) return 0;
    return s->profile_errors[1] < p->week_margin * s->profile_errors[0];
}

static f64 mean_of_last(f64 *ring, i64 rows, f64 newest) {
    ring[rows % SMOOTHED_ROWS] = newest;
    i64 count = rows + 1 < SMOOTHED_ROWS ? rows + 1 : SMOOTHED_ROWS;
    f64 total = 0.0;
    for (i64 at = 0; at < count; at++) total += ring[at];
    return total / (f64)count;
}

static u16 one_more(u16 count) { return count < LARGEST_COUNT ? count + 1 : LARGEST_COUNT; }

static f64 residual_of_day(State *s, const Settings *p, i64 hour, f64 x) {
    u16 seen = s->profile_rows[hour];
    i64 known = seen > 0 ? hour : (hour + DAY_HOURS - 1) % DAY_HOURS; /* an hour never seen: the one before */
    f64 residual = x - (s->profile_rows[known] > 0 ? s->profile[known] : s->slow_mean);
    s->profile_rows[hour] = one_more(seen);
    s->profile[hour] += (x - s->profile[hour]) * larger(p->of->profile_rate, 1.0 / ((f64)seen + 1.0));
    return residual;
}

/* Return the evidence that the series is off its rhythm as it has not been, and learn x. */
f64 break_of_profile(State *s, const Settings *p, i64 hour_of_week, f64 x) {
    i64 rows = s->rows;
    f64 residual = mean_of_last(s->residuals, rows, residual_of_day(s, p, hour_of_week % DAY_HOURS, x));
    f64 evidence = break_of_range(s, p, PROFILE, PROFILE, rows, residual, p->kept_of_profile);
    if (s->hour_is_known > 0) {
        rows = s->week_residuals_seen;
        f64 of_week = mean_of_last(s->week_residuals, rows, x - s->week[hour_of_week]);
        f64 evidence_by_week = break_of_range(s, p, PROFILE, WEEK, rows, of_week, p->kept_of_profile);
        s->week_residuals_seen = rows + 1;
        s->hour_rows += 1;
        s->hour_errors[0] += size_of(residual);
        s->hour_errors[1] += size_of(of_week);
        if (week_counts(s, p->of)) evidence = evidence_by_week;
    }
    u16 seen = s->week_rows[hour_of_week];
    s->week[hour_of_week] +=
        (x - s->week[hour_of_week]) * larger(p->of->profile_rate, 1.0 / ((f64)seen + 1.0));
    s->week_rows[hour_of_week] = one_more(seen);
    return evidence;
}
