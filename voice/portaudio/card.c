#include "card.h"

#include <string.h>
#include <time.h>

// Who writes a ring says first what it claims, then writes, then says so. All other
// numbers are each by itself.

static uint64_t load(const uint64_t *n) { return __atomic_load_n(n, __ATOMIC_ACQUIRE); }
static void store(uint64_t *n, uint64_t v) { __atomic_store_n(n, v, __ATOMIC_RELEASE); }

static float sample(struct ring *r, uint64_t at) {
	float v;
	__atomic_load(&r->samples[at % RING_SIZE], &v, __ATOMIC_RELAXED);
	return v;
}

// told says that after this callback, of n samples, all have come or been taken.
static void told(struct shared *s, uint64_t n, uint64_t all, int rate) {
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	int64_t now = t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
	if ((int64_t)n > __atomic_load_n(&s->largest, __ATOMIC_RELAXED))
		__atomic_store_n(&s->largest, (int64_t)n, __ATOMIC_RELAXED);
	__atomic_store_n(&s->zero, now - (int64_t)((double)all / rate * 1e9), __ATOMIC_RELEASE);
	__atomic_store_n(&s->called, now, __ATOMIC_RELEASE);
	__atomic_add_fetch(&s->calls, 1, __ATOMIC_RELEASE);
}

void heard(struct shared *s, const float *in, uint64_t n, int channels, int rate) {
	uint64_t at = s->ring.written;
	store(&s->ring.claimed, at + n);
	__atomic_thread_fence(__ATOMIC_SEQ_CST); // nothing is written before it is claimed
	for (uint64_t i = 0; i < n; i++) {
		float sum = 0;
		for (int c = 0; c < channels; c++)
			sum += *in++;
		sum /= channels;
		__atomic_store(&s->ring.samples[(at + i) % RING_SIZE], &sum, __ATOMIC_RELAXED);
	}
	store(&s->ring.written, at + n);
	told(s, n, at + n, rate);
}

void played(struct shared *s, float *out, uint64_t n, int channels, int rate) {
	uint64_t at = s->taken, there = load(&s->ring.written) - at;
	uint64_t k = there < n ? there : n;
	for (uint64_t i = 0; i < k; i++)
		for (int c = 0; c < channels; c++)
			*out++ = sample(&s->ring, at + i);
	memset(out, 0, (n - k) * channels * sizeof *out);
	__atomic_add_fetch(&s->missing, (int64_t)(n - k), __ATOMIC_RELAXED);
	store(&s->taken, at + k);
	told(s, n, at + k, rate);
}

static int microphone(const void *in, void *out, unsigned long n, const PaStreamCallbackTimeInfo *time,
                      PaStreamCallbackFlags flags, void *card) {
	(void)out, (void)time, (void)flags;
	struct card *c = card;
	if (in) // else the host has no buffer for it just now
		heard(c->shared, in, n, c->channels, c->rate);
	return paContinue;
}

static int loudspeaker(const void *in, void *out, unsigned long n, const PaStreamCallbackTimeInfo *time,
                       PaStreamCallbackFlags flags, void *card) {
	(void)in, (void)time, (void)flags;
	struct card *c = card;
	played(c->shared, out, n, c->channels, c->rate);
	return paContinue;
}

PaError card_open(struct card *c, int device, int input, double latency) {
	PaStreamParameters p = {device, c->channels, paFloat32, latency, NULL};
	return Pa_OpenStream(&c->stream, input ? &p : NULL, input ? NULL : &p, c->rate, paFramesPerBufferUnspecified,
	                     paNoFlag, input ? microphone : loudspeaker, c);
}
