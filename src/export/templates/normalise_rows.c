static void normalise_rows(const norm *f, const int32_t *x, int32_t *y)
{
    int row;
    for (row = 0; row < ROWS; row++)
        normalise(f, D, 0, x + row * D, y + row * D);
}
