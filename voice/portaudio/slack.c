// While C runs, as an encoder does for a millisecond of every 20, a thread of the Go
// runtime looks after it: it sleeps 20 µs at a time, and each time it wakes takes 5
// of the processor. The kernel may let sleepers lie for as long as their thread's
// slack says; this is inherited, and so has to be there before the runtime is. What
// must be woken in time is woken by an alarm of the kernel's, to which it is nothing.
// Programs that are begun inherit it, tor among them; a device's process has none of it.
#ifdef __linux__
#include <stdlib.h>
#include <sys/prctl.h>

static const unsigned long slack = 400 * 1000; // ns; the kernel's own is 50 µs

__attribute__((constructor)) static void let_lie(void) {
	prctl(PR_SET_TIMERSLACK, getenv("SOTTO_SOUND_CARD") ? 50000UL : slack, 0UL, 0UL, 0UL);
}
#endif
