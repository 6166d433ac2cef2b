import CircadiaKernels

extension LoRAAdapter {
    /// Whether projections have magnitudes.
    package var isDoRA: Bool { configuration.kind == .dora }

    /// Brings what follows from the numbers and the frozen weights up to date; nothing to do for
    /// LoRA.
    ///
    /// To be called after a change of numbers and before they are used; `AdaptedModel` does so when it is
    /// made, and the trainer does so before each pass.
    ///
    /// - Parameters:
    ///   - layers: the blocks of the model that the adapter is for.
    ///   - workspace: for the kernels.
    package func refresh(layers: [LlamaLayer], workspace: Workspace) {
        guard isDoRA else { return }
        KernelRuntime.withTeam {
            for (layer, projection, pair) in self.allPairs {
                pair.magnitude?.refresh(
                    pair, weight: layers[layer].weight(projection), scale: self.scale,
                    workspace: workspace)
            }
        }
    }
}
