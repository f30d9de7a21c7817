package tui

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sottovoce/sotto/internal/api"
)

// theatre is a real terminal, tmux, with the screen in it, of a phone that the
// test plays behind its API.
type theatre struct {
	t     *testing.T
	tmux  string // its socket
	phone *puppet
	now   time.Time // that the screen knows of
	away  func()    // puts the phone away
}

func newTheatre(t *testing.T) *theatre {
	t.Helper()
	dir, err := os.MkdirTemp("", "tui") // short, for the path of a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	listener, err := api.Listen(dir)
	if err != nil {
		t.Fatal(err)
	}
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	phone := &puppet{make(chan api.Event, 256), make(chan string, 64)}
	ctx, away := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() {
		served <- (&api.Server{Phone: phone, Exit: func(error) int { return 1 }}).Serve(ctx, listener)
	}()
	t.Cleanup(func() {
		away()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	th := &theatre{t: t, tmux: filepath.Join(dir, "tmux"), phone: phone, away: away, now: begun}
	start := exec.Command("tmux", "-S", th.tmux, "-u", "-f", "/dev/null", "new-session", "-d", "-x", "80", "-y", "24",
		"sh", "-c", `echo before; "$0"; echo exit code $?; exec cat`, program)
	start.Env = append(os.Environ(), profile+"="+dir, "LC_ALL=C.UTF-8", "TZ=UTC", "COLORTERM=truecolor", "NO_COLOR=", "TMUX=")
	if out, err := start.CombinedOutput(); err != nil {
		t.Fatalf("tmux: %v: %s", err, out)
	}
	t.Cleanup(func() { exec.Command("tmux", "-S", th.tmux, "kill-server").Run() })
	return th
}

func (th *theatre) tells(events ...api.Event) {
	for _, e := range events {
		th.phone.events <- e
	}
}

// passes winds the screen's clock.
func (th *theatre) passes(d time.Duration) {
	th.now = th.now.Add(d)
	th.tells(api.Event{Notice: winds + th.now.Format(time.RFC3339Nano)})
}

// asks waits for what is asked of the phone next.
func (th *theatre) asks(want string) {
	th.t.Helper()
	select {
	case got := <-th.phone.asked:
		if got != want {
			th.t.Fatalf("the phone was asked %q, not %q:\n%s", got, want, th.shows())
		}
	case <-time.After(60 * time.Second):
		th.t.Fatalf("the phone was never asked %q:\n%s", want, th.shows())
	}
}

func (th *theatre) command(args ...string) string {
	th.t.Helper()
	out, err := exec.Command("tmux", append([]string{"-S", th.tmux}, args...)...).CombinedOutput()
	if err != nil {
		th.t.Fatalf("tmux %v: %v: %s", args, err, out)
	}
	return string(out)
}

func (th *theatre) keys(keys ...string) { th.command(append([]string{"send-keys"}, keys...)...) }

func (th *theatre) shows() string { return th.command("capture-pane", "-p") }

// until looks at the screen until it is as wanted.
func (th *theatre) until(what string, wanted func(string) bool) {
	th.t.Helper()
	deadline := time.NewTimer(60 * time.Second)
	defer deadline.Stop()
	look := time.NewTicker(30 * time.Millisecond)
	defer look.Stop()
	for !wanted(th.shows()) {
		select {
		case <-look.C:
		case <-deadline.C:
			th.t.Fatalf("the screen never showed %s but\n%s", what, th.shows())
		}
	}
}

func (th *theatre) waitFor(what string) {
	th.t.Helper()
	th.until(what, func(page string) bool { return strings.Contains(page, what) })
}

// scene waits until the screen shows a golden picture. With -update it waits for
// mark and makes the picture, a real one if picture is given.
func (th *theatre) scene(name, mark, picture string) {
	th.t.Helper()
	th.waitFor(mark)
	path := filepath.Join("testdata", "tmux-"+name+".txt")
	if *update {
		if err := os.WriteFile(path, []byte(th.shows()), 0o644); err != nil {
			th.t.Fatal(err)
		}
		if picture != "" {
			th.draw(picture)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		th.t.Fatal(err)
	}
	th.until("\n"+string(want), func(page string) bool { return page == string(want) })
}

// draw makes a picture for the documents of what the terminal shows.
func (th *theatre) draw(name string) {
	th.t.Helper()
	path := filepath.Join("..", "..", "docs", "pictures", name+".svg")
	svg := drawing(th.command("capture-pane", "-e", "-p"), 80, 24)
	if err := os.WriteFile(path, []byte(svg), 0o644); err != nil {
		th.t.Fatal(err)
	}
}

// A whole evening on a real terminal: tor starts, a friend is called, talked and
// written to; a stranger rings meanwhile; the terminal shrinks; the screen is left.
func TestScreen(t *testing.T) {
	th := newTheatre(t)
	th.waitFor("looking for the phone")
	e := status(api.Starting)
	e.Status.Tor = api.Tor{Version: "0.4.9.11", Percent: 40, Summary: "Loading relay descriptors"}
	th.tells(e)
	th.scene("bootstrap", "日本語", "")
	e = status(api.Up)
	e.Status.Missed = []api.Missed{{At: begun.Add(-time.Hour), Name: "bob", Why: "you were busy with another"}}
	th.tells(e)
	th.scene("idle", "● up", "idle")

	ann := talking()
	ann.ID, ann.Outgoing, ann.Phase, ann.SinceMS = "0", false, api.Ringing, 4_000
	th.tells(change(ann))
	th.scene("incoming", "ann is calling", "incoming")
	th.passes(time.Second)
	th.waitFor("is calling  0:05") // right after it came no key counts
	th.keys("n")
	th.asks("decline 0")
	ann.Phase, ann.End = api.Over, &api.End{Exit: 5, Error: "you declined"}
	th.tells(change(ann))
	th.waitFor("ann: you declined")

	th.keys("c", "an", "Enter")
	th.waitFor("address): ann")
	th.keys("Enter")
	th.asks("call ann")
	c := talking()
	c.Phase, c.Paths, c.SinceMS = api.Dialing, nil, 0
	th.tells(change(c))
	th.scene("dialing", "being reached", "")
	c.Phase, c.Paths = api.Ringing, talking().Paths[:2]
	th.tells(change(c))
	th.scene("ringing", "It rings there", "")

	for _, e := range history() {
		th.passes(time.Second)
		th.tells(e)
	}
	th.scene("talking", "talking 3:21", "")
	th.keys("Enter", "the second folder, as agreed", "Enter")
	th.asks("say 1 the second folder, as agreed")
	th.tells(
		api.Event{Text: &api.Text{Call: "1", At: begun, Mine: true, Text: "the second folder, as agreed"}},
		api.Event{Text: &api.Text{Call: "1", At: begun.Add(time.Minute), Text: "found it. Who else knows?"}},
	)
	th.keys("nobody")
	th.scene("chat", "say: nobody", "talking")
	th.keys("Escape")
	th.waitFor("hang up  m mute") // a key right after Escape would be one with Alt
	th.keys("m")
	th.asks("mute 1 on")
	c = talking()
	c.Muted, c.Held = true, true
	th.tells(change(c))
	th.scene("held", "you are on hold", "")
	c.Muted, c.Held = false, false
	th.tells(change(c))
	th.keys("p")
	th.asks("mute 1 on")
	th.keys("Space")
	th.asks("mute 1 off")
	th.waitFor("you speak")
	th.keys("p")
	th.asks("mute 1 off")

	th.tells(change(stranger()))
	th.waitFor("a stranger calls you: y answers")
	th.keys("Tab")
	th.scene("stranger", "A stranger is calling", "")
	th.passes(time.Second)
	th.waitFor("is calling  0:05")
	th.keys("n")
	th.asks("decline 2")
	gone := stranger()
	gone.Phase, gone.End = api.Over, &api.End{Exit: 5, Error: "you declined"}
	th.tells(change(gone))
	th.waitFor("a stranger: you declined")

	th.command("resize-window", "-x", "40", "-y", "10")
	th.scene("small", "quality good 82 of 100", "")
	th.command("resize-window", "-x", "80", "-y", "24")
	th.waitFor("quality    good 82 of 100")
	th.keys("x")
	th.asks("hangup 1")
	c.Phase, c.End = api.Over, &api.End{}
	th.tells(change(c))
	th.waitFor("the call with ann is over after 3:21")

	th.tells(change(stranger()))
	th.waitFor("A stranger is calling")
	th.passes(time.Second)
	th.waitFor("is calling  0:05")
	th.keys("y")
	th.asks("answer 2")
	s := stranger()
	s.Phase = api.Talking
	th.tells(change(s))
	th.waitFor("talking 0:00")
	th.keys("C-c")
	th.waitFor("leave, the call goes on")
	goesOn := func(shown string) { // right after the question no key counts
		s.TalkedMS += 1_000
		th.passes(time.Second)
		th.tells(change(s))
		th.waitFor(shown)
	}
	goesOn("talking 0:01")
	th.keys("n")
	th.waitFor("hang up  m mute")
	th.keys("q")
	th.waitFor("leave, the call goes on")
	goesOn("talking 0:02")
	th.keys("x")
	th.asks("hangup 2")
	th.waitFor("exit code 0")
	if page := th.shows(); !strings.HasPrefix(page, "before\nexit code 0\n") {
		t.Errorf("the terminal is not as it was:\n%s", page)
	}
}

func TestPhoneGone(t *testing.T) {
	th := newTheatre(t)
	th.tells(status(api.Up), change(talking()))
	th.waitFor("talking 3:21")
	th.away()
	th.waitFor("The phone is gone")
	th.waitFor("the phone has been put away")
	th.keys("q")
	th.waitFor("exit code 0")
}

// TestCost: the screen costs less than 2 % of a core in a call, in the whole
// process, at the five events a second that a call has.
func TestCost(t *testing.T) {
	th := newTheatre(t)
	th.tells(status(api.Up), change(talking()))
	th.waitFor("talking 3:21")
	screen := strings.TrimSpace(th.command("display-message", "-p", "#{pane_pid}")) // the shell; the screen is its only child
	children, err := os.ReadFile("/proc/" + screen + "/task/" + screen + "/children")
	if err != nil {
		t.Fatal(err)
	}
	screen = strings.TrimSpace(string(children))
	spent := func() (total time.Duration) {
		tasks, err := filepath.Glob("/proc/" + screen + "/task/*/schedstat")
		if err != nil || len(tasks) == 0 {
			t.Fatalf("no threads of process %q: %v", screen, err)
		}
		for _, task := range tasks {
			stat, err := os.ReadFile(task)
			if err != nil {
				continue // that thread has ended
			}
			ns, err := strconv.ParseInt(strings.Fields(string(stat))[0], 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			total += time.Duration(ns)
		}
		return total
	}
	const events, every = 40, 200 * time.Millisecond
	c := talking()
	tick := time.NewTicker(every)
	defer tick.Stop()
	before := spent()
	for i := range events {
		<-tick.C
		c.TalkedMS += every.Milliseconds()
		th.passes(every)
		c.YouDB, c.ThemDB = float64(-10-i*7%50), float64(-10-i*11%50)
		c.Quality.R, c.DelayMS = 70+float64(i*3%20), int64(150+i*13%90)
		c.Paths = slices.Clone(c.Paths)
		for j := range c.Paths {
			c.Paths[j].LatenessMS = int64((i*17 + j*31) % 400)
		}
		th.tells(change(c))
	}
	th.waitFor("talking 3:29")
	used := spent() - before
	t.Logf("%v in %v of talking: %.2f %% of a core", used, events*every, 100*float64(used)/float64(events*every))
	if used > events*every/50 {
		t.Errorf("the screen used %v in %v of talking, more than 2 %% of a core", used, events*every)
	}
}
