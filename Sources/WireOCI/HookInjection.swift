package import WireCore
internal import WireJSON

/// Puts hook entries into the bytes of a config.json, and takes them out again. The file is never written anew from a
/// tree: text is inserted at offsets, so that all else keeps its order, its spelling of numbers and its spaces.
package struct HookInjection: Sendable {
  /// Attach entries go behind those that are there (they may make what ours needs), `poststop` entries before them: a
  /// runtime may stop at the first that hangs.
  package let entries: [HookEntry]

  package init(_ entries: [HookEntry]) { self.entries = entries }

  /// The bytes with each entry once; the same bytes where all are there already.
  package func injected(into bytes: [UInt8]) throws(WireError) -> [UInt8] {
    let layout = try Self.layout(bytes)
    let missing = entries.filter { entry in
      !(layout.entries[entry.stage] ?? []).contains { entry.matches(bytes[$0]) }
    }
    guard !missing.isEmpty else { return bytes }
    var edits: [Edit] = []
    switch layout.hooks {
    case nil: edits.append(Edit(insert: "\"hooks\":" + Self.hooks(missing), asFirstAt: layout.start, in: bytes))
    case let hooks? where hooks.kind == .beginObject:
      edits = try stageEdits(missing, hooks, layout, bytes)
    case let hooks?:
      try Self.requireNull(hooks, "hooks", "an object", bytes)
      edits.append(Edit(range: hooks.range, text: Self.hooks(missing)))
    }
    return Edit.apply(edits, to: bytes)
  }

  /// The bytes without our entries, and without a stage or `hooks` that would be left empty.
  package func removed(from bytes: [UInt8]) throws(WireError) -> [UInt8] {
    var result = bytes
    for entry in entries {
      let layout = try Self.layout(result)
      let present = layout.entries[entry.stage] ?? []
      guard let stage = layout.stages[entry.stage], let ours = present.first(where: { entry.matches(result[$0]) })
      else {
        continue
      }
      result = Edit.apply([Edit(remove: present.count == 1 ? stage.member : ours, in: result)], to: result)
    }
    guard result != bytes, let hooks = try Self.layout(result).hooks, hooks.kind == .beginObject,
      Edit.isEmpty(after: hooks.range.lowerBound + 1, in: result)
    else { return result }
    return Edit.apply([Edit(remove: hooks.member, in: result)], to: result)
  }

  /// What to insert where `hooks` is an object.
  private func stageEdits(
    _ missing: [HookEntry], _ hooks: HookLayout.Value, _ layout: HookLayout, _ bytes: [UInt8]
  ) throws(WireError) -> [Edit] {
    var edits: [Edit] = []
    var absent: [HookEntry] = []
    for stage in HookStage.allCases {
      let wanted = missing.filter { $0.stage == stage }
      guard !wanted.isEmpty else { continue }
      let text = wanted.map(\.text).joined(separator: ",")
      guard let value = layout.stages[stage] else {
        absent += wanted
        continue
      }
      guard value.kind == .beginArray else {
        try Self.requireNull(value, "hooks." + stage.rawValue, "an array", bytes)
        edits.append(Edit(range: value.range, text: "[\(text)]"))
        continue
      }
      if stage != .poststop, let last = layout.entries[stage]?.last {
        edits.append(Edit(range: last.upperBound..<last.upperBound, text: "," + text))
      } else {
        edits.append(Edit(insert: text, asFirstAt: value.range.lowerBound + 1, in: bytes))
      }
    }
    if !absent.isEmpty {
      edits.append(Edit(insert: Self.stages(absent), asFirstAt: hooks.range.lowerBound + 1, in: bytes))
    }
    return edits
  }

  private static func layout(_ bytes: [UInt8]) throws(WireError) -> HookLayout {
    do throws(JSONError) { return try HookLayout(bytes) } catch { throw error.wireError(in: "config.json") }
  }

  private static func requireNull(
    _ value: HookLayout.Value, _ name: String, _ kind: String, _ bytes: [UInt8]
  ) throws(WireError) {
    guard bytes[value.range].elementsEqual("null".utf8) else {
      throw WireError("config.json: \(name)", "expected \(kind)")
    }
  }

  private static func hooks(_ entries: [HookEntry]) -> String { "{\(stages(entries))}" }

  private static func stages(_ entries: [HookEntry]) -> String {
    HookStage.allCases.compactMap { stage -> String? in
      let wanted = entries.filter { $0.stage == stage }
      return wanted.isEmpty ? nil : "\"\(stage.rawValue)\":[\(wanted.map(\.text).joined(separator: ","))]"
    }.joined(separator: ",")
  }
}
