import Support
import Testing

/// The container dies while its hook runs, and its pid becomes somebody else's: the hook, stopped at that moment, goes on.
@Suite(needsRoot, .enabled(if: Tool.strace.isThere, "needs strace"), .serialized) struct PidReuseTests {
  /// In a pid namespace of its own the next pid can be chosen. Arguments: how the successor is started (an empty namespace
  /// of its own, or the host's), the call to stop at, its number, the hook, the configuration, a folder.
  private let script = """
    unshare --net sleep 60 & P=$!
    while [ "$(readlink /proc/$P/ns/net)" = "$(readlink /proc/self/ns/net)" ]; do sleep 0.005; done
    printf '{"ociVersion":"1.0","id":"web","status":"created","pid":%s,"bundle":"%s","annotations":{"wirehook.ports":"8080:80"}}' \
      $P "$6" > "$6/input"
    rm -f "$6/trace"
    strace -qq -o "$6/trace" -e inject=$2:signal=SIGSTOP:when=$3 "$4" --config "$5" createRuntime < "$6/input" & S=$!
    stopped=no
    while grep -qs '^State:.[^Z]' /proc/$S/status; do
      if grep -qs 'stopped by SIGSTOP' "$6/trace"; then stopped=$(cat /proc/$S/task/$S/children); break; fi
      sleep 0.005
    done
    kill -9 $P; wait $P 2>/dev/null
    echo $((P-1)) > /proc/sys/kernel/ns_last_pid
    $1 sleep 60 & Q=$!
    while [ "$(cat /proc/$Q/comm)" != sleep ]; do sleep 0.005; done
    while grep -qs '^State:.[^Z]' /proc/$S/status; do [ $stopped = no ] || kill -CONT $stopped 2>/dev/null; sleep 0.005; done
    wait $S; code=$?
    echo "reused $([ $Q = $P ] && echo yes || echo no) stopped $([ $stopped = no ] && echo no || echo yes) code $code"
    nsenter --net=/proc/$Q/ns/net ip -o link | grep -c ': eth0@'
    kill $Q
    """

  @Test(arguments: ["unshare --net", ""]) func theSuccessorIsNotTouched(successor: String) throws {
    try Sandbox.with { host in
      try host.warmUp()
      let measured = try host.container("measured")
      let file = "\(host.folder)/calls"
      _ = try host.tryAttach(measured, ["wirehook.ports": "8080:80"], under: SystemCall.recording(to: file))
      try host.stop(measured)
      let names: Set<String> = [
        "openat", "readlink", "pidfd_open", "setns", "sendto", "pread64", "socket", "newfstatat",
      ]
      // Before it opens the process the hook cannot know whom the pid meant.
      let calls = try SystemCall.recorded(in: file).drop { $0.name != "pidfd_open" }.filter { names.contains($0.name) }
      let before = try host.snapshot()
      var stops = 0
      for index in stride(from: 0, to: calls.count, by: 9) {
        let call = calls[index]
        let result = try host.run(
          ["unshare", "--pid", "--fork", "--mount-proc", "--", "sh", "-c", script, "sh", successor, call.name]
            + ["\(call.occurrence)", try Built.path("wirehook-oci"), host.configFile, host.folder])
        let lines = result.stdout.split(separator: "\n")
        let told = "\(call): \(result.stdout) \(result.stderr)"
        try #require(lines.first?.contains("reused yes") == true, "\(told)")
        stops += lines.first?.contains("stopped yes") == true ? 1 : 0
        #expect(lines.last == "0", "the successor has an eth0, \(told)")
        try host.detach("web")
        let differences = try host.differences(from: before)
        #expect(differences == [], "\(told)")
      }
      #expect(stops > calls.count / 18, "hardly ever stopped in the middle")
    }
  }
}
