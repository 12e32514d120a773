"""The arithmetic of scores, in C: the streaming detector's kernel, with a logarithm of its own, and what the
inputs of a tree ensemble add to its answers.

What is transcendental or summed on the way to a score is computed here, so that hosts of one platform agree
to the bit, whatever their numpy. `compiling` makes the library, `library` loads it, `elementwise` has what
takes arrays of numbers; what takes states is in `streaming`.
"""
