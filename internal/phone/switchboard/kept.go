package switchboard

import (
	"context"
	"errors"

	"github.com/sottovoce/sotto/call"
	"github.com/sottovoce/sotto/internal/api"
	"github.com/sottovoce/sotto/internal/phone/desk"
	"github.com/sottovoce/sotto/internal/phone/history"
)

// keepHistory begins to save what is kept of calls; end ends that, once all is
// saved.
func (b *Board) keepHistory(ctx context.Context) (end func()) {
	if b.config.History == nil {
		return func() {}
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	saved := make(chan struct{})
	go func() {
		defer close(saved)
		b.config.History.Run(ctx)
	}()
	return func() { cancel(); <-saved }
}

// keep has a call kept, if any are, and not one of somebody who is blocked, or
// with a one-time identity; b.mu is held.
func (b *Board) keep(e history.Entry) {
	if b.config.History != nil && !b.config.OneTime && !b.config.Gate.Book().Blocks(e.Peer) {
		b.config.History.Keep(e)
	}
}

// how is how a call has ended that ends with err, for the history; "": the person
// is not told of it, or it goes on as another.
func (l *line) how(err error) history.How {
	switch {
	case l.instead != "":
		return ""
	case l.talked:
		return history.Answered
	case !l.outgoing && (l.missed == desk.WhyDeclined || l.shown && errors.Is(err, call.ErrDeclined)):
		return history.Declined
	case !l.outgoing && l.missed != "":
		return history.Missed
	case !l.outgoing:
		return ""
	case errors.Is(err, call.ErrDeclined):
		return history.Declined
	case errors.Is(err, call.ErrBusy):
		return history.Busy
	case errors.Is(err, call.ErrNoAnswer):
		return history.NoAnswer
	case err == nil, errors.Is(err, call.ErrCancelled):
		return history.Cancelled
	}
	return history.Failed
}

// History is what is kept of calls that are over, with the names of now.
func (b *Board) History() (api.History, error) {
	if b.config.History == nil {
		return api.History{Calls: []api.Past{}}, nil
	}
	list, err := b.config.History.List()
	if err != nil {
		return api.History{}, err
	}
	kept := api.History{Kept: true, Calls: make([]api.Past, 0, len(list))}
	for _, e := range list {
		kept.Calls = append(kept.Calls, Past(e, b.config.Gate.At(e.Peer).Name))
	}
	return kept, nil
}

// Past is a call of the history, as the API says it.
func Past(e history.Entry, name string) api.Past {
	return api.Past{
		Began: e.Began, Outgoing: e.Outgoing, Peer: e.Peer.Onion(), Name: name, TalkedMS: e.Talked.Milliseconds(), How: string(e.How),
	}
}
