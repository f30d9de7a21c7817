package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// Deadlines of the server.
const (
	requestTime = 10 * time.Second // a request, and the writing of an answer
	idleTime    = time.Minute      // between two requests on a connection
	aliveTime   = 15 * time.Second // a stream of events in which nothing happens says so
	endTime     = 2 * time.Second  // answers under way when the server ends
)

// Server answers for a phone.
type Server struct {
	Phone Phone
	Exit  func(error) int // the exit code for an error
}

// usage is a request that is wrong in itself.
type usage struct{ error }

// exitUsage is the exit code for these.
const exitUsage = 2

// Serve answers on l until ctx ends, tells those who listen what happened until
// then, and closes l.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	server := http.Server{
		Handler:           s.handler(),
		ReadHeaderTimeout: requestTime, ReadTimeout: requestTime, IdleTimeout: idleTime,
		MaxHeaderBytes: 16 << 10,
		BaseContext:    func(net.Listener) context.Context { return ctx },
		ErrorLog:       nothing,
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(l) }()
	select {
	case err := <-ended:
		return fmt.Errorf("the phone's socket: %w", err)
	case <-ctx.Done():
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), endTime)
	defer cancel()
	if err := server.Shutdown(last); err != nil {
		server.Close()
	}
	<-ended
	return nil
}

func (s *Server) handler() http.Handler {
	mux := http.NewServeMux()
	get := func(path string, answer func() any) {
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, _ *http.Request) { s.reply(w, http.StatusOK, answer()) })
	}
	get("/v1/status", func() any { return s.Phone.Status() })
	get("/v1/contacts", func() any { return s.Phone.Contacts() })
	mux.HandleFunc("GET /v1/events", s.events)
	mux.HandleFunc("GET /v1/history", func(w http.ResponseWriter, _ *http.Request) {
		kept, err := s.Phone.History()
		if err != nil {
			s.refuse(w, err)
			return
		}
		s.reply(w, http.StatusOK, kept)
	})
	mux.HandleFunc("POST /v1/calls", func(w http.ResponseWriter, r *http.Request) {
		var b whom
		if !s.read(w, r, &b) {
			return
		}
		if b.Whom == "" {
			s.refuse(w, usage{errors.New(`"whom" is missing: a name or an address`)})
			return
		}
		call, err := s.Phone.Call(r.Context(), b.Whom)
		if err != nil {
			s.refuse(w, err)
			return
		}
		s.reply(w, http.StatusCreated, call)
	})
	for path, act := range map[string]func(string) error{"answer": s.Phone.Answer, "decline": s.Phone.Decline, "hangup": s.Phone.HangUp} {
		mux.HandleFunc("POST /v1/"+path, func(w http.ResponseWriter, r *http.Request) {
			var b which
			if s.read(w, r, &b) {
				s.done(w, act(b.Call))
			}
		})
	}
	for path, act := range map[string]func(string, bool) error{"mute": s.Phone.Mute, "hold": s.Phone.Hold, "record": s.Phone.Record} {
		mux.HandleFunc("POST /v1/"+path, func(w http.ResponseWriter, r *http.Request) {
			var b turn
			if s.read(w, r, &b) {
				s.done(w, act(b.Call, on(b.On)))
			}
		})
	}
	mux.HandleFunc("POST /v1/say", func(w http.ResponseWriter, r *http.Request) {
		var b words
		if s.read(w, r, &b) {
			s.done(w, s.Phone.Say(b.Call, b.Text))
		}
	})
	mux.HandleFunc("POST /v1/contacts/reread", func(w http.ResponseWriter, r *http.Request) {
		if s.read(w, r, &struct{}{}) {
			s.done(w, s.Phone.Reread())
		}
	})
	mux.HandleFunc("POST /v1/silent", func(w http.ResponseWriter, r *http.Request) {
		var b quiet
		if s.read(w, r, &b) {
			s.Phone.Silent(on(b.On))
			s.done(w, nil)
		}
	})
	mux.HandleFunc("POST /v1/put-away", func(w http.ResponseWriter, r *http.Request) {
		if s.read(w, r, &struct{}{}) {
			s.done(w, nil)
			s.Phone.PutAway()
		}
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		s.reply(w, http.StatusNotFound, Error{fmt.Sprintf("there is no %s %.100q in version %d: see docs/api.md", r.Method, r.URL.Path, Version), exitUsage})
	})
	return mux
}

// read reads a request's body, which may be empty, or says what is wrong with it.
func (s *Server) read(w http.ResponseWriter, r *http.Request, to any) bool {
	body := json.NewDecoder(http.MaxBytesReader(w, r.Body, MaxBody))
	body.DisallowUnknownFields()
	err := body.Decode(to)
	if errors.Is(err, io.EOF) {
		return true
	}
	if err == nil && body.More() {
		err = errMore
	}
	if err != nil {
		s.refuse(w, malformed(err))
	}
	return err == nil
}

func (s *Server) done(w http.ResponseWriter, err error) {
	if err != nil {
		s.refuse(w, err)
		return
	}
	s.reply(w, http.StatusOK, struct{}{})
}

func (s *Server) refuse(w http.ResponseWriter, err error) {
	e := Error{err.Error(), exitUsage}
	var wrong usage
	if !errors.As(err, &wrong) {
		e.Exit = s.Exit(err)
	}
	status := http.StatusConflict
	if e.Exit == exitUsage {
		status = http.StatusBadRequest
	}
	s.reply(w, status, e)
}

func (s *Server) reply(w http.ResponseWriter, status int, what any) {
	text, err := json.Marshal(what)
	if err != nil {
		http.Error(w, `{"error":"this cannot be said in JSON","exit":1}`, http.StatusInternalServerError)
		return
	}
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(requestTime))
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(text, '\n')) // who has gone is not to be told
}

// events is the stream.
func (s *Server) events(w http.ResponseWriter, r *http.Request) {
	events, stop := s.Phone.Listen()
	defer stop()
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(time.Time{}) // nothing more is to come, for as long as it takes
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	send := func(text []byte) bool {
		_ = control.SetWriteDeadline(time.Now().Add(requestTime))
		_, err := w.Write(text)
		return err == nil && control.Flush() == nil
	}
	tell := func(e Event) bool {
		text, err := json.Marshal(e)
		return err == nil && send(fmt.Appendf(nil, "data: %s\n\n", text))
	}
	alive := time.NewTicker(aliveTime)
	defer alive.Stop()
	for {
		select {
		case e, more := <-events:
			if !more || !tell(e) {
				return
			}
		case <-alive.C:
			if !send([]byte(":\n\n")) {
				return
			}
		case <-r.Context().Done():
			for { // the phone ends: what happened until now is told
				select {
				case e, more := <-events:
					if more && tell(e) {
						continue
					}
				default:
				}
				return
			}
		}
	}
}
