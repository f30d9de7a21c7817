// The card's end of the memory that a device's process has in common with the call.
#ifndef SOTTO_CARD_H
#define SOTTO_CARD_H

#include <portaudio.h>
#include <stdint.h>

enum { RING_SIZE = 1 << 14 };

// ring is Go's voice.Ring.
struct ring {
	float samples[RING_SIZE];
	uint64_t claimed, written;
};

// shared is Go's shared, which says what each is.
struct shared {
	struct ring ring;
	uint64_t calls;
	int64_t called, zero, largest;
	uint64_t taken;
	int64_t missing;
};

// card is an open device.
struct card {
	struct shared *shared;
	PaStream *stream;
	int rate, channels;
};

// card_open opens a microphone (input) or a loudspeaker of card's rate and channels.
// Latency is in seconds.
PaError card_open(struct card *c, int device, int input, double latency);

// heard is what a callback does with what the microphone has heard, of channels that
// take turns.
void heard(struct shared *s, const float *in, uint64_t n, int channels, int rate);

// played is what a callback does for what the loudspeaker is to play.
void played(struct shared *s, float *out, uint64_t n, int channels, int rate);

#endif
