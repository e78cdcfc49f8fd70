// Package lines is the talk between a peer process and the test that started it:
// one JSON object a line, commands on stdin, answers and events on stdout.
package lines

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"sync"
)

// Fields are the members of one line.
type Fields map[string]any

var out sync.Mutex

// Event prints {"event": name, …}.
func Event(name string, fields Fields) {
	print(Fields{"event": name}, fields)
}

// Answer prints {"id": id, "ok": true, …}, or {"id": id, "ok": false, "error": …}.
func Answer(id int, fields Fields, err error) {
	if err != nil {
		print(Fields{"id": id, "ok": false, "error": err.Error()}, fields)
		return
	}
	print(Fields{"id": id, "ok": true}, fields)
}

func print(head, fields Fields) {
	for name, value := range fields {
		head[name] = value
	}
	line, err := json.Marshal(head)
	if err != nil {
		panic(err)
	}
	out.Lock()
	defer out.Unlock()
	os.Stdout.Write(append(line, '\n'))
}

// Command is one line of stdin. Which fields count depends on the command.
type Command struct {
	ID         int    `json:"id"`
	Cmd        string `json:"cmd"`
	Bytes      uint64 `json:"bytes"`
	Count      uint32 `json:"count"`
	Parallel   int    `json:"parallel"`
	IntervalMs int    `json:"intervalMs"`
	TimeoutMs  int    `json:"timeoutMs"`
	DurationMs int    `json:"durationMs"`
}

// Read hands over each command of stdin until it ends, which means that the
// test is gone.
func Read(handle func(Command)) error {
	scanner := bufio.NewScanner(os.Stdin)
	for scanner.Scan() {
		var command Command
		if err := json.Unmarshal(scanner.Bytes(), &command); err != nil {
			return err
		}
		handle(command)
	}
	if err := scanner.Err(); err != nil && err != io.EOF {
		return err
	}
	return nil
}
