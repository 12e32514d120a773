/* What each input of a tree ensemble adds to its answers: interventional TreeSHAP over groups of columns. */
#include "kernel.h"

enum { NEITHER, OF_ROW, OF_BASELINE };

typedef struct {
    i64 node, chosen, group, of_row, of_baseline;
} Waiting;

/* Add each tree's values to `result`, of shape (n_rows, n_groups), as a mean over the baseline.

   `left` of a leaf is negative, `value` has the tree's weight in it. `gain` and `loss`, both square of n_groups + 1,
   are what an input gains or loses of a leaf by how many inputs it takes from the row and from the baseline.
   `scratch` has room for 7 (n_groups + 1) numbers. */
EXPORT void attribute_trees(
    i64 n_rows, i64 n_baseline, i64 n_columns, i64 n_groups, i64 n_roots, const f64 *rows, const f64 *baseline,
    const i64 *left, const i64 *right, const i64 *column, const f64 *threshold, const f64 *value,
    const i64 *missing_left, const i64 *roots, const i64 *group, const f64 *gain, const f64 *loss, i64 *scratch,
    f64 *result) {
    i64 width = n_groups + 1;
    i64 *side = scratch, *chosen = scratch + width;
    Waiting *later = (Waiting *)(scratch + 2 * width);
    for (i64 g = 0; g < n_groups; g++) side[g] = NEITHER;
    for (i64 i = 0; i < n_rows * n_baseline; i++) {
        const f64 *x = rows + i / n_baseline * n_columns, *z = baseline + i % n_baseline * n_columns;
        f64 *values = result + i / n_baseline * n_groups;
        for (i64 t = 0; t < n_roots; t++) {
            i64 node = roots[t], n = 0, a = 0, b = 0, waiting = 0;
            for (;;) {
                while (left[node] >= 0) {
                    i64 c = column[node], g = group[c];
                    i64 x_left = x[c] != x[c] ? missing_left[node] : x[c] <= threshold[node];
                    i64 z_left = z[c] != z[c] ? missing_left[node] : z[c] <= threshold[node];
                    i64 x_node = x_left ? left[node] : right[node], z_node = z_left ? left[node] : right[node];
                    if (x_node != z_node && side[g] == NEITHER) { /* the row's way now, the baseline's later */
                        later[waiting++] = (Waiting){z_node, n, g, a, b};
                        side[g] = OF_ROW;
                        chosen[n++] = g;
                        a++;
                    }
                    node = side[g] == OF_BASELINE ? z_node : x_node;
                }
                for (i64 k = 0; k < n; k++)
                    if (side[chosen[k]] == OF_ROW)
                        values[chosen[k]] += value[node] * gain[a * width + b];
                    else
                        values[chosen[k]] -= value[node] * loss[a * width + b];
                if (waiting == 0) break;
                Waiting next = later[--waiting];
                while (n > next.chosen) side[chosen[--n]] = NEITHER;
                node = next.node;
                a = next.of_row;
                b = next.of_baseline + 1;
                side[next.group] = OF_BASELINE;
                chosen[n++] = next.group;
            }
            while (n > 0) side[chosen[--n]] = NEITHER;
        }
    }
    for (i64 k = 0; k < n_rows * n_groups; k++) result[k] /= (f64)n_baseline;
}
