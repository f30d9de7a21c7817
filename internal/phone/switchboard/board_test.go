package switchboard

import (
	"context"
	"testing"

	"github.com/sottovoce/sotto/call"
	"github.com/sottovoce/sotto/identity"
	"github.com/sottovoce/sotto/identity/contact"
	"github.com/sottovoce/sotto/internal/api"
	"github.com/sottovoce/sotto/internal/phone/gate"
)

// idle is a board that runs, on which nothing happens by itself.
func idle(t *testing.T, book *contact.Book) *Board {
	t.Helper()
	key, err := identity.NewKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	b := New(Config{
		Calls: call.Config{Key: key}, Gate: gate.New("", book, nil, contact.Policy{}),
		End: func(error) api.End { return api.End{} },
	}, 1)
	b.run = t.Context()
	return b
}

// dialled puts an outgoing call on the board that has come through.
func (b *Board) dialled(t *testing.T, peer identity.Address) *line {
	t.Helper()
	l := b.newLine(peer, true, api.Ringing)
	l.hangUp = context.CancelFunc(func() {})
	if _, _, err := b.desk.Call(l.id, peer); err != nil {
		t.Fatal(err)
	}
	b.desk.Proven(l.id)
	l.shown = true
	return l
}

// A call that is answered in the moment in which it is hung up takes nobody's
// microphone and loudspeaker.
func TestHungUpAsTheAnswerComes(t *testing.T) {
	b := idle(t, &contact.Book{})
	first := b.dialled(t, identity.Address{1})
	b.entered(first, call.Talking)
	if b.handset.has.Load() != first.lease {
		t.Fatal("whoever talks has not the handset")
	}
	second := b.dialled(t, identity.Address{2})
	if err := b.HangUp(second.name); err != nil {
		t.Fatal(err)
	}
	b.entered(second, call.Talking)
	b.entered(second, call.Closing)
	b.ended(second, nil)
	if b.handset.has.Load() != first.lease {
		t.Error("a call that was hung up has taken the handset from the one that talks")
	}
}

// Strangers, who can be as many as they like, do not push contacts out of the list
// of missed calls.
func TestStrangersDoNotFillTheList(t *testing.T) {
	ann, book := identity.Address{1}, &contact.Book{}
	if err := book.Add(contact.Contact{Name: "ann", Card: contact.Card{Address: ann}}); err != nil {
		t.Fatal(err)
	}
	b := idle(t, book)
	b.miss(ann, "first")
	for range 2 * mostMissed {
		b.miss(identity.Address{2}, "a stranger")
	}
	b.miss(ann, "last")
	all := b.Status().Missed
	if n := len(all); n != mostMissed || all[0].Why != "first" || all[n-1].Why != "last" {
		t.Errorf("%d are listed, from %+v to %+v", n, all[0], all[n-1])
	}
	for range mostMissed {
		b.miss(ann, "more")
	}
	if all := b.Status().Missed; len(all) != mostMissed || all[0].Why != "more" {
		t.Errorf("%d are listed, from %+v on", len(all), all[0])
	}
}

// Whom one called and hung up on before they asked to ring was let in for the call
// alone: what stands of who may ring counts again, for a phone that answers by
// itself, too.
func TestCalledAndHungUpOn(t *testing.T) {
	b := idle(t, &contact.Book{})
	b.config.AnswerAll = true
	stranger := identity.Address{1}
	own := b.dialled(t, stranger)
	if !b.told(stranger) {
		t.Fatal("whom one calls may call")
	}
	if err := b.HangUp(own.name); err != nil {
		t.Fatal(err)
	}
	in := b.newLine(stranger, false, api.Ringing)
	b.entered(in, call.Ringing)
	if s := b.Status(); in.shown || b.handset.has.Load() != nil || len(s.Missed) != 1 || s.Missed[0].Why != "strangers do not ring" {
		t.Errorf("shown: %v, %+v", in.shown, s.Missed)
	}
}
