import Testing
import WireCore

@testable import WireView

@Suite struct TableTests {
  private func table() -> Table {
    var table = Table([.init("NAME", .left, .name, isCut: true), .init("PID", .right), .init("PORTS", isCut: true)])
    table.add([["web"], ["7"], ["8080->80/tcp", "5353->53/udp"]])
    table.add([["a-long-name"], ["12345"], []])
    return table
  }

  @Test func columnsAreAsWideAsTheirWidestCell() {
    #expect(
      table().lines(width: nil, style: .plain) == [
        "NAME           PID  PORTS",
        "web              7  8080->80/tcp, 5353->53/udp",
        "a-long-name  12345",
      ])
  }

  @Test func aListThatDoesNotFitIsSetBelowItself() {
    #expect(
      table().lines(width: 40, style: .plain) == [
        "NAME           PID  PORTS",
        "web              7  8080->80/tcp",
        "                    5353->53/udp",
        "a-long-name  12345",
      ])
  }

  @Test func whatStillDoesNotFitIsCut() {
    #expect(
      table().lines(width: 25, style: .plain) == [
        "NAME        PID  PORTS",
        "web           7  8080->8…",
        "                 5353->5…",
        "a-long-…  12345",
      ])
  }

  @Test(arguments: 26...60) func noLineIsWiderThanAsked(_ width: Int) {
    for style in [Style.plain, .coloured] {
      for line in table().lines(width: width, style: style) { #expect(Style.width(of: line) <= width, "\(line)") }
    }
  }

  @Test func whatAStrangerWroteCannotMoveTheCursor() {
    var table = Table([.init("NAME")])
    table.add(["\u{1b}[2Jx\n\u{202e}y"])
    #expect(table.lines(width: nil, style: .plain).last == "\\x1b[2Jx\\x0a\\u202ey")
  }

  @Test func wideCharactersTakeTwoCells() {
    var table = Table([.init("NAME"), .init("X")])
    table.add(["名前", "1"])
    #expect(table.lines(width: nil, style: .plain) == ["NAME  X", "名前  1"])
    #expect(Cells.cut("名前です", to: 5) == "名前…")
  }
}

@Suite struct TemplateTests {
  private let fields = ["Name", "IP"]
  private func value(_ field: String) -> String { field == "Name" ? "web\u{7}" : "10.0.0.2" }

  @Test(arguments: [
    ("{{.Name}}", "web\\x07"), ("{{ .IP }}!", "10.0.0.2!"), (#"{{.IP}}\t{{.IP}}\n"#, "10.0.0.2\t10.0.0.2\n"),
    ("plain", "plain"), (#"\\t \x"#, #"\t \x"#), ("}}", "}}"), ("", ""),
  ])
  func placeholdersAreReplaced(_ template: String, _ line: String) throws {
    #expect(try RowTemplate(template, fields: fields).line(value) == line)
  }

  @Test(arguments: [
    ("{{.Nmae}}", "did you mean {{.Name}}?"), ("{{.X", "has no }}"), ("{{Name}}", "{{.Name}}"), ("{{}}", ".Name .IP"),
  ])
  func aMistakeIsNamed(_ template: String, _ expected: String) {
    let error = #expect(throws: WireError.self) { try RowTemplate(template, fields: fields) }
    #expect(error?.description.contains(expected) == true, "\(String(describing: error))")
  }
}

@Suite struct AmountTests {
  @Test(
    arguments: [
      (0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (1999, "1.9 kB"), (12_345, "12 kB"), (7_654_321, "7.6 MB"),
      (UInt64.max, "18446 PB"),
    ] as [(UInt64, String)])
  func bytesAreForPeople(_ count: UInt64, _ text: String) { #expect(Amount.bytes(count) == text) }

  @Test func aRateIsInBits() {
    #expect(Amount.rate(bytes: 1_250_000, milliseconds: 1000) == "10 Mbit/s")
    #expect(Amount.rate(bytes: 1, milliseconds: 0) == "")
    #expect(Amount.rate(bytes: .max, milliseconds: 1) == "1000 Pbit/s")
  }

  @Test func aLabelIsEscapedAsPrometheusWantsIt() {
    var page = Exposition()
    page.add("x_total", .counter, "Back\\slash\nline.", [([("a", "q\"b\\c\nd")], "1")])
    page.add("empty", .gauge, "Nothing.", [])
    #expect(
      page.text == "# HELP x_total Back\\\\slash\\nline.\n# TYPE x_total counter\nx_total{a=\"q\\\"b\\\\c\\nd\"} 1\n")
  }
}
