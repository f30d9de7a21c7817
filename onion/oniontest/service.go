package oniontest

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"

	"github.com/sottovoce/sotto/identity"
)

const virtualPort = 1876

// service is an address that was published once.
type service struct {
	tor       *Tor
	owner     *session
	target    string
	oneStream bool
	closed    bool
	clients   []string
	uploaded  bool
	gone      bool
}

// addOnion publishes; the descriptor is up a little later.
func (s *session) addOnion(args []string) string {
	v := &service{tor: s.tor, owner: s}
	id := ""
	for i, arg := range args {
		key, value, _ := strings.Cut(arg, "=")
		switch {
		case i == 0:
			blob, isKey := strings.CutPrefix(arg, "ED25519-V3:")
			raw, err := base64.StdEncoding.DecodeString(blob)
			if !isKey || err != nil || len(raw) != 64 {
				return "513 Failed to decode ED25519-V3 key\r\n"
			}
			k, err := identity.KeyFromTor([64]byte(raw))
			if err != nil {
				return "551 Failed to generate onion address\r\n"
			}
			id = strings.TrimSuffix(k.Address().Onion(), onionSuffix)
		case key == "Flags":
			v.closed = strings.Contains(value, "V3Auth")
			v.oneStream = strings.Contains(value, "MaxStreamsCloseCircuit")
		case key == "Port":
			from, target, _ := strings.Cut(value, ",")
			if from != fmt.Sprint(virtualPort) {
				return "512 Invalid VIRTPORT/TARGET\r\n"
			}
			v.target = target
		case key == "ClientAuthV3":
			v.clients = append(v.clients, value)
		case key == "MaxStreams", strings.HasPrefix(key, "PoW"):
		default:
			return fmt.Sprintf("512 Unrecognized argument %q\r\n", key)
		}
	}
	n := s.tor.net
	n.mu.Lock()
	if old := n.services[id]; old != nil && old.tor == s.tor && !old.gone {
		n.mu.Unlock()
		return "550 Onion address collision\r\n"
	}
	n.services[id] = v
	n.mu.Unlock()
	n.work.Go(func() { s.upload(id, v) })
	return fmt.Sprintf("250-ServiceID=%s\r\n%s", id, ok)
}

// directories take descriptors.
var directories = []string{"$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA~first", "$BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB~second"}

func (s *session) upload(id string, v *service) {
	if !s.tor.net.wait(s.tor.script.Upload) {
		return
	}
	s.tor.net.mu.Lock()
	gone := v.gone
	v.uploaded = true
	s.tor.net.mu.Unlock()
	s.mu.Lock()
	wanted := slices.Contains(s.events, "HS_DESC") && !s.tor.script.NoDescriptorEvents
	s.mu.Unlock()
	if gone || !wanted {
		return
	}
	for _, d := range directories {
		s.say(fmt.Sprintf("650 HS_DESC UPLOAD %s UNKNOWN %s descriptor HSDIR_INDEX=00\r\n", id, d))
	}
	for _, d := range directories {
		s.say(fmt.Sprintf("650 HS_DESC UPLOADED %s UNKNOWN %s\r\n", id, d))
	}
}

func (s *session) delOnion(id string) string {
	s.tor.net.mu.Lock()
	defer s.tor.net.mu.Unlock()
	if v := s.tor.net.services[id]; v != nil && v.owner == s && !v.gone {
		v.gone = true
		return ok
	}
	return "552 Unknown Onion Service id\r\n"
}

func (s *session) addKey(args []string) string {
	if len(args) < 2 {
		return "512 Incomplete onion client auth\r\n"
	}
	blob, isKey := strings.CutPrefix(args[1], "x25519:")
	key, err := base64.StdEncoding.DecodeString(blob)
	if !isKey || err != nil || len(key) != 32 {
		return "512 Failed to decode x25519 private key\r\n"
	}
	s.tor.mu.Lock()
	defer s.tor.mu.Unlock()
	s.tor.keys[args[0]] = key
	return ok
}
