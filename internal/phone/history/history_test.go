package history_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/sottovoce/sotto/identity"
	"github.com/sottovoce/sotto/internal/phone/history"
)

const tor = "2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid.onion"

func entry(t testing.TB, how history.How, after time.Duration) history.Entry {
	t.Helper()
	peer, err := identity.Parse(tor)
	if err != nil {
		t.Fatal(err)
	}
	return history.Entry{Began: time.Date(2026, 1, 2, 15, 4, 5, 0, time.UTC).Add(after), Outgoing: how == history.Busy, Peer: peer, How: how}
}

const whole = "sotto history 1\n" +
	"2026-01-02T15:04:05Z\tin\t65\tanswered\t" + tor + "\n" +
	"2026-01-02T15:05:05Z\tout\t0\tbusy\t" + tor + "\n"

func TestTheText(t *testing.T) {
	answered := entry(t, history.Answered, 0)
	answered.Talked = 65*time.Second + 900*time.Millisecond
	if text := string(history.Text([]history.Entry{answered, entry(t, history.Busy, time.Minute)})); text != whole {
		t.Errorf("%q", text)
	}
	list, err := history.Parse([]byte(whole))
	if err != nil || len(list) != 2 || list[0].Talked != 65*time.Second || list[0].Outgoing || !list[1].Outgoing || list[1].How != history.Busy || !list[1].Began.Equal(answered.Began.Add(time.Minute)) {
		t.Errorf("%+v, %v", list, err)
	}
	if list, err := history.Parse(nil); list != nil || err != nil {
		t.Errorf("%v, %v", list, err)
	}
	all := []history.Entry{}
	for i := range history.Most + 3 {
		all = append(all, entry(t, history.Missed, time.Duration(i)*time.Second))
	}
	list, err = history.Parse(history.Text(all))
	if err != nil || len(list) != history.Most || !list[0].Began.Equal(all[3].Began) {
		t.Errorf("%d, %v", len(list), err)
	}
}

// Cut short at any byte that does not end a line, or with any bit flipped that
// matters, it is refused: what is taken says what it says.
func TestDamageIsRefused(t *testing.T) {
	for i := range whole {
		if _, err := history.Parse([]byte(whole[:i])); (err == nil) != (i == 0 || whole[i-1] == '\n') || err != nil && !errors.Is(err, history.ErrHistory) {
			t.Errorf("cut at %d: %v", i, err)
		}
		for bit := range 8 {
			text := []byte(whole)
			text[i] ^= 1 << bit
			list, err := history.Parse(text)
			switch {
			case err == nil && string(history.Text(list)) != string(text):
				t.Errorf("byte %d, bit %d: taken as something else", i, bit)
			case err != nil && !errors.Is(err, history.ErrHistory) && !errors.Is(err, history.ErrNewer):
				t.Error(err)
			}
		}
	}
	for text, want := range map[string]error{
		strings.Replace(whole, "history 1", "history 2", 1):  history.ErrNewer,
		strings.Replace(whole, "history 1", "contacts 1", 1): history.ErrHistory,
		strings.Replace(whole, "05Z", "05.5Z", 1):            history.ErrHistory,
		strings.Replace(whole, "Z\tin", "+00:00\tin", 1):     history.ErrHistory,
		strings.Replace(whole, "\t65", "\t065", 1):           history.ErrHistory,
		strings.Replace(whole, "\t65", "\t-1", 1):            history.ErrHistory,
		strings.Replace(whole, "\tin\t", "\tby\t", 1):        history.ErrHistory,
		strings.Replace(whole, "answered", "sung", 1):        history.ErrHistory,
		strings.Replace(whole, "2gzy", "2gzz", 1):            history.ErrHistory,
		strings.Replace(whole, "\tin\t", "\tin\tx\t", 1):     history.ErrHistory,
		whole + strings.Repeat(whole[16:], history.Most/2):   history.ErrHistory,
		"sotto history 1\n\n":                                history.ErrHistory,
		"sotto history 01\n":                                 history.ErrHistory,
	} {
		if _, err := history.Parse([]byte(text)); !errors.Is(err, want) {
			t.Errorf("%.80q: %v", text, err)
		}
	}
}

func FuzzHistory(f *testing.F) {
	f.Add([]byte(whole))
	f.Add([]byte(whole[:100]))
	f.Add([]byte("sotto history 1\n"))
	f.Add([]byte("sotto history 7\nwhat is this?"))
	f.Add([]byte("sotto history 1\n9999-12-31T23:59:59Z\tout\t4294967295\tno answer\t" + tor + "\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		list, err := history.Parse(text)
		switch {
		case err != nil && !errors.Is(err, history.ErrHistory) && !errors.Is(err, history.ErrNewer):
			t.Fatal(err)
		case err == nil && len(text) > 0 && string(history.Text(list)) != string(text):
			t.Fatalf("%q is taken as %q", text, history.Text(list))
		}
	})
}
