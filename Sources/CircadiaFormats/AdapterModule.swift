import CircadiaFiles

/// One adapted module as other programs store it, with its own rank and scale.
struct AdapterModule {
    /// The block's number.
    var layer: Int
    /// The module's path inside the block.
    var path: String
    /// `[in, rank]`.
    var a: AdapterTensor
    /// `[rank, out]`.
    var b: AdapterTensor
    /// `[out]`, for DoRA only.
    var magnitude: AdapterTensor?
    /// The factor on the product of `a` and `b`.
    var scale: Double

    var rank: Int { b.shape[0] }

    /// Gives modules the single rank and scale of MLX without changing what they compute. Smaller
    /// ranks are padded with zeros, and other scales are multiplied into `b`.
    static func unified(
        _ modules: [AdapterModule], layerCount: Int, dropout: Double, otherMembers: JSONObject
    ) -> (AdapterConfiguration, [String: AdapterTensor]) {
        let rank = modules.reduce(1) { max($0, $1.rank) }
        let scale = modules.reduce(0.0) { abs($1.scale) > abs($0) ? $1.scale : $0 }
        var tensors: [String: AdapterTensor] = [:]
        for module in modules {
            func put(_ factor: AdapterTensorName.Factor, _ tensor: AdapterTensor) {
                let name = AdapterTensorName(
                    layer: module.layer, module: module.path, factor: factor)
                tensors[name.fullName] = tensor
            }
            put(.a, module.a.filledUp(columns: rank))
            var b = module.b.filledUp(rows: rank)
            if module.scale != scale {
                let share = module.scale / scale
                b.values = b.values.map { Float(Double($0) * share) }
            }
            put(.b, b)
            if let magnitude = module.magnitude { put(.magnitude, magnitude) }
        }
        let used = Set(modules.map(\.path))
        let keys = AdapterTensorName.modules.filter(used.contains)
        let first = modules.reduce(layerCount) { min($0, $1.layer) }
        let configuration = AdapterConfiguration(
            kind: modules.contains { $0.magnitude != nil } ? .dora : .lora,
            numLayers: layerCount - first,
            loraParameters: .init(
                rank: rank, scale: scale, dropout: dropout,
                keys: keys.count == AdapterTensorName.modules.count ? nil : keys),
            otherMembers: otherMembers)
        return (configuration, tensors)
    }

    /// The modules of an MLX adapter, block by block in the order of `AdapterTensorName.modules`.
    static func modules(
        of configuration: AdapterConfiguration, _ tensors: [String: AdapterTensor]
    ) -> [AdapterModule] {
        let layers = Set(tensors.keys.compactMap { AdapterTensorName($0)?.layer }).sorted()
        return layers.flatMap { layer in
            AdapterTensorName.modules.compactMap { path in
                func tensor(_ factor: AdapterTensorName.Factor) -> AdapterTensor? {
                    tensors[
                        AdapterTensorName(layer: layer, module: path, factor: factor).fullName]
                }
                guard let a = tensor(.a), let b = tensor(.b) else { return nil }
                return AdapterModule(
                    layer: layer, path: path, a: a, b: b, magnitude: tensor(.magnitude),
                    scale: configuration.loraParameters.scale)
            }
        }
    }
}

extension AdapterTensor {
    /// The transpose of a matrix.
    var transposed: AdapterTensor {
        let (rows, columns) = (shape[0], shape[1])
        var turned = [Float](repeating: 0, count: values.count)
        for row in 0..<rows {
            for column in 0..<columns {
                turned[column * rows + row] = values[row * columns + column]
            }
        }
        return AdapterTensor(shape: [columns, rows], values: turned)
    }

    /// The matrix padded with zeros on the right and below.
    func filledUp(rows: Int? = nil, columns: Int? = nil) -> AdapterTensor {
        let rows = rows ?? shape[0]
        let columns = columns ?? shape[1]
        if [rows, columns] == shape { return self }
        var filled = [Float](repeating: 0, count: rows * columns)
        for row in 0..<shape[0] {
            for column in 0..<shape[1] {
                filled[row * columns + column] = values[row * shape[1] + column]
            }
        }
        return AdapterTensor(shape: [rows, columns], values: filled)
    }

    /// The matrix with reordered rows: row `i` is row `source(i)` of this one.
    func rows(_ source: (Int) -> Int) -> AdapterTensor {
        let columns = shape[1]
        var moved: [Float] = []
        moved.reserveCapacity(values.count)
        for row in 0..<shape[0] {
            let start = source(row) * columns
            moved.append(contentsOf: values[start..<start + columns])
        }
        return AdapterTensor(shape: shape, values: moved)
    }
}
