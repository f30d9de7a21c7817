package tui

import (
	"slices"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/sottovoce/sotto/internal/api"
)

// Messages, besides those of the terminal.
type (
	eventMsg struct { // the phone tells something
		at    time.Time
		event api.Event
	}
	goneMsg struct{ err error } // the phone tells nothing any more
	tickMsg time.Time
	keyMsg  struct { // a key is pressed
		at  time.Time
		key tea.Key
	}
)

// Model is all that the screen knows. Make one with [New].
type Model struct {
	own     bool                // the phone ends with the screen
	aim     func(string) string // [Options.Aim]
	clock   func() time.Time    // asked when a second has passed, and nowhere else
	perform func(action) tea.Msg
	listen  func() tea.Msg // looks for the phone again
	zone    *time.Location

	width, height int
	look          look
	ascii         bool // the terminal shows no more
	releases      bool // it tells when a key is let go

	now     time.Time // of the newest message
	ticking bool
	rung    time.Time // when the bell last rang
	spaced  time.Time // when Space was last pressed

	known    bool // a status has come
	status   api.Status
	contacts []api.Contact
	chosen   int // among the contacts that are listed
	calls    []*talk
	shown    string // which call
	notices  []notice
	gone     error

	writing input // what is typed, and for what
	line    []rune
	help    bool
	doubt   question
	doubted time.Time // when it was asked
	quit    bool      // once all that was asked for is done
	failure error

	queue []action // the first is under way
}

// input is what a line that is being typed is for.
type input int

const (
	nothing input = iota
	whom          // to call
	chat
)

// question is what the person is asked, before a key does what cannot be undone.
type question int

const (
	none     question = iota
	toLeave           // the screen, while a call is on
	toRecord          // the call that is shown
)

// notice is a line for the person that goes away by itself, or with the next key.
type notice struct {
	at    time.Time
	bad   bool
	stays bool // until a key is pressed
	text  string
}

// Notices stay so long.
const noticeFor = 20 * time.Second

// The bell rings so often while somebody calls.
const bellEvery = 3 * time.Second

// New is a screen that has heard nothing yet. own says that the phone ends with
// it.
func New(now time.Time, own bool) *Model {
	return &Model{own: own, now: now, clock: time.Now, aim: Options{}.aim, zone: time.Local, width: 80, height: 24, look: newLook(true)}
}

// Init asks for the terminal's background.
func (m *Model) Init() tea.Cmd { return tea.RequestBackgroundColor }

// Update takes one message.
func (m *Model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	var cmd tea.Cmd
	switch msg := msg.(type) {
	case eventMsg:
		m.pass(msg.at)
		cmd = m.hear(msg.event)
	case doneMsg:
		m.pass(msg.at)
		cmd = m.done(msg)
	case goneMsg:
		cmd = m.lose(msg.err)
	case tickMsg:
		m.ticking = false
		m.pass(time.Time(msg))
		cmd = m.ring()
	case keyMsg:
		m.pass(msg.at)
		m.seen()
		cmd = m.press(msg.key)
	case tea.KeyReleaseMsg:
		cmd = m.release(tea.Key(msg))
	case tea.PasteMsg:
		m.paste(msg.Content)
	case tea.BlurMsg:
		cmd = m.hush() // the key may be let go where nobody tells
	case tea.WindowSizeMsg:
		m.width, m.height = max(msg.Width, 0), max(msg.Height, 0)
	case tea.BackgroundColorMsg:
		m.look = newLook(msg.IsDark())
	case tea.KeyboardEnhancementsMsg:
		m.releases = msg.SupportsEventTypes() && msg.SupportsAllKeysAsEscapeCodes()
	case tea.EnvMsg:
		m.ascii = !utf8Locale(msg.Getenv)
	}
	return m, tea.Batch(cmd, m.tick())
}

// pass lets the time be at, and forgets notices that are old.
func (m *Model) pass(at time.Time) {
	if at.After(m.now) {
		m.now = at
	}
	m.forget(func(n notice) bool { return !n.stays && m.now.Sub(n.at) >= noticeFor })
}

// forget takes notices away.
func (m *Model) forget(which func(notice) bool) { m.notices = slices.DeleteFunc(m.notices, which) }

// seen forgets what has stayed until a key was pressed, unless that was under way
// when it came.
func (m *Model) seen() {
	m.forget(func(n notice) bool { return n.stays && m.now.Sub(n.at) >= startle })
}

// tick asks for the next second while something shown counts by itself.
func (m *Model) tick() tea.Cmd {
	if m.ticking || len(m.calls) == 0 && !slices.ContainsFunc(m.notices, func(n notice) bool { return !n.stays }) {
		return nil
	}
	m.ticking = true
	clock := m.clock
	return tea.Tick(time.Second, func(time.Time) tea.Msg { return tickMsg(clock()) })
}

// ring rings the terminal's bell while somebody waits to be answered.
func (m *Model) ring() tea.Cmd {
	if m.waiting() == nil || m.now.Sub(m.rung) < bellEvery {
		return nil
	}
	m.rung = m.now
	return tea.Raw("\a")
}

// lose says that the phone is gone.
func (m *Model) lose(err error) tea.Cmd {
	m.gone = err
	m.calls, m.queue, m.line, m.writing, m.doubt, m.help = nil, nil, nil, nothing, none, false
	if m.own || m.quit {
		if m.own {
			m.failure = err
		}
		return tea.Quit
	}
	return nil
}

// tell shows a line for a while.
func (m *Model) tell(bad bool, text string) { m.note(notice{at: m.now, bad: bad, text: clean(text)}) }

func (m *Model) note(n notice) {
	m.notices = append(m.notices, n)
	if len(m.notices) > maxNotices {
		oldest := max(0, slices.IndexFunc(m.notices, func(n notice) bool { return !n.stays }))
		m.notices = slices.Delete(m.notices, oldest, oldest+1)
	}
}

// maxNotices are shown at once.
const maxNotices = 3

// call is the call of that name, or nil.
func (m *Model) call(id string) *talk {
	for _, c := range m.calls {
		if c.ID == id {
			return c
		}
	}
	return nil
}

// current is the call that is shown, or nil.
func (m *Model) current() *talk { return m.call(m.shown) }

// asking is the call that y and n are for: the one shown if it rings here, or
// else the oldest that does, or nil.
func (m *Model) asking() *talk {
	if c := m.current(); c != nil && c.rings() {
		return c
	}
	return m.waiting()
}

// waiting is the oldest call that rings here, or nil.
func (m *Model) waiting() *talk {
	for _, c := range m.calls {
		if c.rings() {
			return c
		}
	}
	return nil
}
