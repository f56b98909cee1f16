import Testing
import WireCore
import WireOCI

/// A command line as engines and people write it, and what must be seen in it.
struct CommandLineCase: CustomTestStringConvertible, Sendable {
  let line: String
  /// The command and the file that it reads; nil: none that makes a container.
  let made: String?
  let log: String?

  init(_ line: String, makes made: String? = nil, log: String? = nil) {
    (self.line, self.made, self.log) = (line, made, log)
  }

  var words: [String] { line.split(separator: " ").map { $0 == "''" ? "" : String($0) } }
  var testDescription: String { line }
}

private let shimLog = "/run/containerd/io.containerd.runtime.v2.task/moby/4f2e/log.json"
private let shimBundle = "/run/containerd/io.containerd.runtime.v2.task/moby/4f2e"
private let shim = "wirehook-runc --root /var/run/docker/runtime-runc/moby --log \(shimLog) --log-format json"
private let cri = "runc --root=/run/containerd/runc/k8s.io --log=/l.json --log-format=json"
private let userdata = "/var/lib/containers/storage/overlay-containers/9a/userdata"

private let table: [CommandLineCase] = [
  // dockerd, through containerd's shim.
  .init(
    "\(shim) create --bundle \(shimBundle) --pid-file \(shimBundle)/init.pid 4f2e",
    makes: "create \(shimBundle)/config.json", log: shimLog),
  .init(
    "\(shim) create --bundle \(shimBundle) --pid-file \(shimBundle)/init.pid --console-socket /tmp/pty1/pty.sock 4f2e",
    makes: "create \(shimBundle)/config.json", log: shimLog),
  .init(
    "\(shim) --systemd-cgroup create --bundle \(shimBundle) --no-pivot --no-new-keyring 4f2e",
    makes: "create \(shimBundle)/config.json", log: shimLog),
  .init(
    "\(shim) restore --image-path /c/p1 --work-path /w --bundle \(shimBundle) --detach --pid-file /p 4f2e",
    makes: "restore \(shimBundle)/config.json", log: shimLog),
  .init("\(shim) start 4f2e", log: shimLog),
  .init("\(shim) kill --all 4f2e 9", log: shimLog),
  .init("\(shim) delete --force 4f2e", log: shimLog),
  .init("\(shim) exec --process /tmp/runc-process1 --detach --pid-file /p 4f2e", log: shimLog),
  .init("\(shim) events --stats 4f2e", log: shimLog),
  .init("\(shim) update --resources - 4f2e", log: shimLog),
  .init("wirehook-runc --version"),
  .init("wirehook-runc features"),
  .init(
    "wirehook-runc --wirehook-config /srv/w.json --root /r --log /l create --bundle /b c",
    makes: "create /b/config.json", log: "/l"),
  // containerd: ctr, nerdctl, CRI.
  .init(
    "\(cri) create --bundle=/run/b --pid-file=/run/b/init.pid abc", makes: "create /run/b/config.json", log: "/l.json"),
  .init(
    "runc --root /run/containerd/runc/default --log /x/log.json --log-format json --rootless true create --bundle /x c",
    makes: "create /x/config.json", log: "/x/log.json"),
  .init(
    "runc --criu /usr/sbin/criu --root /r restore --empty-ns network --bundle /b c", makes: "restore /b/config.json"),
  .init("runc --root /r pause c"),
  .init("runc --root /r ps --format json c"),
  // conmon, for Podman and CRI-O.
  .init(
    "/usr/bin/runc --systemd-cgroup --log-format=json --log \(userdata)/oci-log create --bundle \(userdata) --pid-file \(userdata)/pidfile 9a",
    makes: "create \(userdata)/config.json", log: "\(userdata)/oci-log"),
  .init(
    "crun --cgroup-manager=systemd --root /run/crun create --bundle \(userdata) --pid-file /p 9a",
    makes: "create \(userdata)/config.json"),
  .init(
    "crun --cgroup-manager disabled --root /run/crun create --bundle \(userdata) 9a",
    makes: "create \(userdata)/config.json"),
  .init(
    "crun create --bundle \(userdata) --preserve-fds=3 --preserve-fds 1 9a", makes: "create \(userdata)/config.json"),
  .init("runc create --bundle \(userdata) --pid-file \(userdata)/pidfile 9a", makes: "create \(userdata)/config.json"),
  .init(
    "runc --root=/run/runc --systemd-cgroup restore --bundle /b --image-path /i --tcp-established 9a",
    makes: "restore /b/config.json"),
  .init("runc start 9a"),
  .init("crun --root=/run/crun state 9a"),
  .init("crun kill 9a 15"),
  .init("crun delete --force 9a"),
  // A person with runc.
  .init("runc run web", makes: "run config.json"),
  .init("runc run -d web", makes: "run config.json"),
  .init("runc run -b /srv/web web", makes: "run /srv/web/config.json"),
  .init("runc run -b=/srv/web web", makes: "run /srv/web/config.json"),
  .init("runc run --bundle=/srv/web --detach web", makes: "run /srv/web/config.json"),
  .init("runc run -bundle /srv/web web", makes: "run /srv/web/config.json"),
  .init("runc run web --bundle /srv/web", makes: "run /srv/web/config.json"),
  .init("runc run -d --bundle srv/web web", makes: "run srv/web/config.json"),
  .init("runc -root /r -debug run -b . web", makes: "run ./config.json"),
  .init("runc --root=/r -- run -b /b web", makes: "run /b/config.json"),
  .init("runc --debug=true --rootless=auto create --pidfd-socket /s --bundle /b web", makes: "create /b/config.json"),
  .init("runc create --bundle '' web", makes: "create config.json"),
  .init("runc create --bundle /a --bundle /b web", makes: "create /b/config.json"),
  .init("runc --log /l --log-format text run --keep web", makes: "run config.json", log: "/l"),
  // Words that look like commands, and are values or names.
  .init("runc --root create delete web"),
  .init("runc --log run list", log: "run"),
  .init("runc delete create"),
  .init("runc state run"),
  .init("runc exec web create --bundle /b"),
  .init("runc exec -t web run"),
  .init("runc create create", makes: "create config.json"),
  .init("runc run --bundle run run", makes: "run run/config.json"),
  .init("runc run --pid-file --bundle web", makes: "run config.json"),
  .init("runc run --console-socket -b -b /b web", makes: "run /b/config.json"),
  .init("runc run -- --bundle /b", makes: "run config.json"),
  // crun.
  .init("crun run -f /srv/other.json -b /srv/web web", makes: "run /srv/other.json"),
  .init("crun run --config=/srv/other.json web", makes: "run /srv/other.json"),
  .init("crun run -f config.json -b /srv/web web", makes: "run /srv/web/config.json"),
  .init("crun run -b/srv/web web", makes: "run /srv/web/config.json"),
  .init("crun run --bun=/srv/web web", makes: "run /srv/web/config.json"),
  .init("crun --log=file:/l --debug run --bund /srv/web web", makes: "run /srv/web/config.json", log: "file:/l"),
  // youki, runsc, and one that nobody knows.
  .init("youki -l /l --log-level debug -s create -b /b -p /pid web", makes: "create /b/config.json", log: "/l"),
  .init("youki --root /r --systemd-cgroup create --bundle /b --console-socket /s web", makes: "create /b/config.json"),
  .init(
    "runsc -root=/r -log=/l -log-format=json -platform systrap create -bundle /b -pid-file /p web",
    makes: "create /b/config.json", log: "/l"),
  .init("other --new-thing create --bundle /b web", makes: "create /b/config.json"),
  .init("other --new-thing value --switch create -b /b web", makes: "create /b/config.json"),
  // Nothing much.
  .init("runc"),
  .init("runc --root"),
  .init("runc --help create"),
  .init("runc --version create"),
  .init("runc create --help"),
  .init("runc '' create"),
  .init("runc create --bundle", makes: "create config.json"),
]

@Suite struct RuntimeArgumentsTests {
  @Test func theTableIsLongEnough() { #expect(table.count >= 60) }

  @Test(arguments: table) func aCommandLineIsUnderstood(_ line: CommandLineCase) {
    let found = RuntimeArguments.parse(line.words)
    let made = found.makesContainer ? "\(found.command ?? "") \(found.specificationPath)" : nil
    #expect(made == line.made)
    #expect(found.log == line.log)
    let format = ["json", "text"].first {
      line.line.contains("log-format \($0)") || line.line.contains("log-format=\($0)")
    }
    #expect(found.logFormat == format)
    let kept = found.passed.map { line.words[$0] }
    #expect(kept == line.words.filter { $0 != "--wirehook-config" && $0 != "/srv/w.json" })
  }

  @Test(
    arguments: [
      ("runc --config /w.json create -b /b c", "/w.json", "runc create -b /b c"),
      ("runc --config=/w.json create -b /b c", "/w.json", "runc create -b /b c"),
      ("runc --wirehook-config /w.json state c", "/w.json", "runc state c"),
      ("runc --root /r --wirehook-config=/w.json --debug state c", "/w.json", "runc --root /r --debug state c"),
      ("runc --root --config state c", nil, "runc --root --config state c"),
      ("crun run --config /c.json c", nil, "crun run --config /c.json c"),
      ("runc --config", nil, "runc --config"),
      ("runc --config /w.json", "/w.json", "runc"),
    ] as [(String, String?, String)])
  func ourOwnOptionIsNotPassedOn(_ line: String, _ configuration: String?, _ passed: String) {
    let words = line.split(separator: " ").map(String.init)
    let found = RuntimeArguments.parse(words)
    #expect(found.configuration == configuration)
    #expect(found.passed.map { words[$0] }.joined(separator: " ") == passed)
  }

  @Test func noWordsAtAllAreNoCommand() {
    let found = RuntimeArguments.parse([])
    #expect(found.command == nil && found.passed.isEmpty && found.specificationPath == "config.json")
  }

  @Test func anyWordsAreReadAndAllButOursPassedOn() {
    let parts = [
      "create", "run", "restore", "delete", "--bundle", "-b", "--bundle=", "-b=/x", "-b/x", "--config", "--config=",
      "--config=/w", "--wirehook-config", "--log", "--log=", "-l", "--log-format", "json", "--", "-", "", "---", "-=",
      "--=x", "=", "--root", "--root=", "é", "\u{301}", "\u{0}", "-\u{301}", "--bun",
      String(repeating: "-", count: 999),
      "/", "web", "\u{fffd}",
    ]
    var state: UInt64 = 7
    func random(_ limit: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(state >> 33) % limit
    }
    for _ in 0..<30_000 {
      let words = (0..<random(9)).map { _ in
        random(4) == 0 ? parts[random(parts.count)] + parts[random(parts.count)] : parts[random(parts.count)]
      }
      let found = RuntimeArguments.parse(words)
      #expect(found.passed == found.passed.sorted() && Set(found.passed).count == found.passed.count)
      #expect(found.passed.allSatisfy(words.indices.contains))
      #expect(words.isEmpty || found.passed.first == 0)
      let dropped = words.indices.filter { !found.passed.contains($0) }
      #expect(dropped.isEmpty == (found.configuration == nil))
      #expect(found.command.map { words.contains($0) } ?? true)
      _ = found.specificationPath
    }
  }
}

@Suite struct InjectionPolicyTests {
  private func policy(
    _ annotations: String, auto: Bool = true, network: String = #"{"type":"network"}"#, source: String = "/etc/hosts"
  ) throws -> InjectionPolicy {
    let text = """
      {"annotations":{\(annotations)},"linux":{"namespaces":[\(network)]},
       "mounts":[{"destination":"/etc/hosts","source":"\(source)"},{"destination":"/data","source":"/c/containers/x/data"}]}
      """
    return try InjectionPolicy(Bundle.parse(Array(text.utf8)), auto: auto)
  }
  private let dockers = "/srv/docker data/containers/4f2e/hosts"

  @Test func anAnnotationAsksAlsoWhereNothingIsWiredByDefault() throws {
    #expect(try policy(#""wirehook.ports":"8080:80""#, auto: false) == .asks)
    #expect(try policy(#""wirehook.":"""#, auto: false) == .asks)
    #expect(try policy(#""wirehook":"x","com.example":"y""#, auto: false) == .leave)
  }

  @Test func noneAloneNeedsNoHook() throws {
    #expect(try policy(#""wirehook.network":"none","com.example":"y""#) == .leave)
    #expect(try policy(#""wirehook.network":"none""#, source: dockers) == .leave)
    #expect(try policy(#""wirehook.network":"none","wirehook.typo":"y""#) == .asks)
  }

  @Test func withoutAnnotationsTheMainFileDecidesAndDockersLabelsMayBeThere() throws {
    #expect(try policy("") == .mayBeWired)
    #expect(try policy("", auto: false) == .leave)
    #expect(try policy("", auto: false, source: dockers) == .mayBeWired)
  }

  @Test func whoSharesTheHostsNetworkGetsNoHook() throws {
    #expect(try policy(#""wirehook.ports":"8080:80""#, network: #"{"type":"pid"}"#) == .leave)
    #expect(try policy("", network: #"{"type":"network","path":"/run/netns/x"}"#) == .mayBeWired)
  }

  @Test(arguments: [
    ("/var/lib/docker/containers/4f2e/hosts", true), ("/containers/4f2e/hosts", true),
    ("/var/lib/containers/storage/overlay-containers/9a/userdata/hosts", false),
    ("/var/lib/nerdctl/1935db59/containers/default/4f2e/resolv.conf", false), ("hosts", false), ("", false),
  ])
  func aBundleOfDockersIsKnownByItsMounts(_ source: String, _ isDockers: Bool) throws {
    let text = #"{"mounts":[{"destination":"/etc/hosts","source":"\#(source)"}]}"#
    #expect(try Bundle.parse(Array(text.utf8)).isDockers == isDockers)
  }
}
