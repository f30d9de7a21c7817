// The sums of which there are many, for each hop of sound: what Go's compiler does
// one number at a time, C's does four or eight at once.
#ifndef SOTTO_SUMS_H
#define SOTTO_SUMS_H

// cx is Go's complex64.
struct cx {
	float re, im;
};

// butterflies transforms n complex numbers, a power of 4 times 2, in bit-reversed
// order, in place. roots are those of each stage from the second on, one after another.
void butterflies(struct cx *work, const struct cx *roots, int n);

// believe adds up what comes of x, the spectra of parts hops, of which now is the
// newest, by way of w: y, and the power by which that may be wrong, residual.
void believe(struct cx *y, float *residual, const struct cx *w, const struct cx *x, const float *wrong, int now, int parts, int band);

// learn corrects w by error, each part and bin at its own rate, and wrong with it.
void learn(struct cx *w, float *wrong, const struct cx *x, const struct cx *error, const float *rate, int now, int parts, int band,
           float leaks, float kept, float share);

// match says how alike a, of n numbers, is to each n of b that follow each other, lags of
// them, by normalised correlation.
void match(float *like, const float *a, const float *b, int n, int lags);

#endif
