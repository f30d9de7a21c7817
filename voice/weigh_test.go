package voice

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestWeigh(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 1000 {
		row := make([]float32, 16*random.IntN(10))
		many := make([]float32, len(row)+3)
		from := random.IntN(4) // it may begin anywhere
		want, most := 0.0, 0.0
		for i := range row {
			many[from+i], row[i] = random.Float32()*2-1, random.Float32()*2-1
			product := float64(many[from+i]) * float64(row[i])
			want += product
			most += math.Abs(product)
		}
		if got := weigh(many[from:], row); math.Abs(float64(got)-want) > 1e-6*most {
			t.Fatalf("%v, want %v", got, want)
		}
	}
}
