package main

import (
	"crypto/tls"
	"flag"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"
)

const maxIdleConnections = 1024

// rateLoad asks at a steady rate whatever becomes of the requests before, so that
// waiting shows; each gets its time from when it was due.
func rateLoad(set *flag.FlagSet) func() error {
	url := set.String("url", "", "what is asked for")
	perSecond := set.Int("per-second", 200, "requests")
	duration := set.Duration("duration", 10*time.Second, "measured time")
	warmUp := set.Duration("warm-up", 2*time.Second, "before that, at the same rate")
	return func() error {
		client := &http.Client{Transport: &http.Transport{
			MaxIdleConnsPerHost: maxIdleConnections,
		}}
		var mu sync.Mutex
		var group sync.WaitGroup
		var took []time.Duration
		statuses := map[string]int{}
		every := time.Second / time.Duration(*perSecond)
		began := time.Now()
		total := int((*warmUp + *duration) / every)
		for n := range total {
			due := began.Add(time.Duration(n) * every)
			time.Sleep(time.Until(due))
			group.Add(1)
			go func() {
				defer group.Done()
				status := get(client, *url)
				mu.Lock()
				defer mu.Unlock()
				if due.Sub(began) < *warmUp {
					return
				}
				took = append(took, time.Since(due))
				statuses[status]++
			}()
		}
		group.Wait()
		sortDurations(took)
		return report(map[string]any{
			"p50": quantile(took, 0.5), "p99": quantile(took, 0.99),
			"max": quantile(took, 1), "statuses": statuses,
		})
	}
}

func get(client *http.Client, url string) string {
	response, err := client.Get(url)
	if err != nil {
		return "error"
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return "broken"
	}
	return fmt.Sprint(response.StatusCode)
}

// zeros is an endless body.
type zeros struct{}

func (zeros) Read(into []byte) (int, error) {
	clear(into)
	return len(into), nil
}

// transferLoad moves one body and tells the time.
func transferLoad(set *flag.FlagSet) func() error {
	url := set.String("url", "", "where to, or where from")
	upload := set.Int64("upload", 0, "bytes to send; none is a download")
	return func() error {
		client := &http.Client{Transport: &http.Transport{
			TLSClientConfig: &tls.Config{InsecureSkipVerify: true},
			WriteBufferSize: transferChunk, ReadBufferSize: transferChunk,
		}}
		method, body := http.MethodGet, io.Reader(nil)
		if *upload > 0 {
			method, body = http.MethodPost, io.LimitReader(zeros{}, *upload)
		}
		request, err := http.NewRequest(method, *url, body)
		if err != nil {
			return err
		}
		if *upload > 0 {
			request.ContentLength = *upload
		}
		began := time.Now()
		response, err := client.Do(request)
		if err != nil {
			return err
		}
		defer response.Body.Close()
		n, err := io.Copy(io.Discard, response.Body)
		if err != nil {
			return err
		}
		if response.StatusCode != http.StatusOK {
			return fmt.Errorf("status %d", response.StatusCode)
		}
		return report(map[string]any{
			"seconds": time.Since(began).Seconds(), "received": n,
		})
	}
}
