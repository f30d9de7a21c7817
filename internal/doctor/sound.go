package doctor

import (
	"fmt"

	"github.com/sottovoce/sotto/internal/phone"
	"github.com/sottovoce/sotto/voice"
	"github.com/sottovoce/sotto/voice/opus"
	"github.com/sottovoce/sotto/voice/portaudio"
)

const soundFix = "see sotto devices; plug one in, start the sound server, or call with files: --in FILE.wav --out FILE.wav"

func microphone() Finding  { return device("microphone", true) }
func loudspeaker() Finding { return device("loudspeaker", false) }

// device looks for the default one; it is not opened.
func device(name string, input bool) Finding {
	devices, err := portaudio.Devices()
	if err == nil {
		var d portaudio.Device
		if d, err = portaudio.Find(devices, "", input); err == nil {
			return well(name, d.String())
		}
	}
	return fail(name, fmt.Errorf("%w: %w", phone.ErrAudio, err), soundFix)
}

// codec sends a frame through libopus and back.
func codec() Finding {
	const name = "libopus"
	err := func() error {
		encoder, err := opus.NewEncoder(opus.Profile24k)
		if err != nil {
			return err
		}
		decoder, err := opus.NewDecoder(opus.Profile24k)
		if err != nil {
			return err
		}
		packet := make([]byte, opus.Profile24k.PacketBytes())
		var f voice.Frame
		if err := encoder.Encode(packet, &f); err != nil {
			return err
		}
		return decoder.Decode(&f, packet)
	}()
	if err != nil {
		return fail(name, fmt.Errorf("%w: %w", phone.ErrAudio, err), "install libopus 1.3 or newer (on Debian: apt install libopus0)")
	}
	return well(name, opus.Version()+", constant bit rate")
}
